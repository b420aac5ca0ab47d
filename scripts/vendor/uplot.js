// What the page of trainings draws its curves with.
export { default } from "uplot";
