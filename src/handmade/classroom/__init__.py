"""A class's submissions: collected, judged by this machine or a cluster, compared, and reported."""

from handmade.classroom.grading import Grades as Grades
from handmade.classroom.grading import grade as grade
from handmade.classroom.submissions import Collected as Collected
from handmade.classroom.submissions import collected as collected
