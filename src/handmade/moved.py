"""Modules and methods that had another name: whoever asks for one is told in one line where it is."""

from typing import TYPE_CHECKING, Any

MOVED = {
    "handmade.creation": "handmade.engine.creation",
    "handmade.folders": "handmade.files",
    "handmade.functions": "handmade.engine.functions",
    "handmade.gradcheck": "handmade.engine",
    "handmade.lens.attention_maps": "handmade.lens",
    "handmade.lens.drawing": "handmade.draw",
    "handmade.lens.feature_maps": "handmade.lens",
    "handmade.lens.grad_cam": "handmade.lens",
    "handmade.lens.logit_lens": "handmade.lens",
    "handmade.lens.occlusion": "handmade.lens",
    "handmade.lens.recording": "handmade.lens",
    "handmade.models.costs": "handmade.models.card",
    "handmade.models.entry": "handmade.models.card",
    "handmade.methods": "handmade.engine.methods",
    "handmade.random": "handmade.engine.random",
    "handmade.tape": "handmade.engine",
    "handmade.tensor": "handmade.engine",
    "handmade.workshop.audit": "handmade.workshop.judging.audit",
    "handmade.workshop.cases": "handmade.workshop.cell.cases",
    "handmade.workshop.comparison": "handmade.workshop.judging.comparison",
    "handmade.workshop.counterexample": "handmade.workshop.judging.counterexample",
    "handmade.workshop.counterfactuals": "handmade.workshop.judging.counterfactuals",
    "handmade.workshop.diagnosis": "handmade.workshop.judging.diagnosis",
    "handmade.workshop.drivers": "handmade.workshop.cell.drivers",
    "handmade.workshop.guard": "handmade.workshop.cell.guard",
    "handmade.workshop.judge": "handmade.workshop.judging.judge",
    "handmade.workshop.mishaps": "handmade.workshop.judging.mishaps",
    "handmade.workshop.namespaces": "handmade.workshop.cell.namespaces",
    "handmade.workshop.reading": "handmade.workshop.judging.reading",
    "handmade.workshop.relations": "handmade.workshop.judging.relations",
    "handmade.workshop.sandbox": "handmade.workshop.judging.sandbox",
    "handmade.workshop.shapes": "handmade.workshop.judging.shapes",
    "handmade.workshop.signatures": "handmade.workshop.judging.signatures",
    "handmade.workshop.wire": "handmade.workshop.cell.wire",
    "handmade.workshop.worker": "handmade.workshop.cell.worker",
    "handmade.train.alignment": "handmade.tasks.translation.alignment",
    "handmade.train.image_classification": "handmade.tasks.images.task",
    "handmade.train.language_modelling": "handmade.tasks.language.task",
    "handmade.train.masked_language_modelling": "handmade.tasks.masked.task",
    "handmade.train.masking": "handmade.tasks.masked.masking",
    "handmade.train.pairs": "handmade.tasks.translation.pairs",
    "handmade.train.preprocessing": "handmade.tasks.images.preprocessing",
    "handmade.train.recipe": "handmade.tasks.recipe",
    "handmade.train.recipes": "handmade.recipes",
    "handmade.train.report": "handmade.tasks.images.report",
    "handmade.train.schedules": "handmade.tasks.schedules",
    "handmade.train.sequences": "handmade.tasks.language.sequences",
    "handmade.train.speech": "handmade.tasks.speech.task",
    "handmade.train.surprise": "handmade.tasks.language.surprise",
    "handmade.train.task": "handmade.tasks.task",
    "handmade.train.translation": "handmade.tasks.translation.task",
    "handmade.train.trigger": "handmade.tasks.trigger.task",
    "handmade.train.writing": "handmade.tasks.language.writer",
}


class MovedFinder:
    """The last finder of `sys.meta_path`: it knows the modules that moved, and raises ModuleNotFoundError."""

    @staticmethod
    def find_spec(fullname: str, *_: Any) -> None:
        if fullname in MOVED:
            raise ModuleNotFoundError(f"{fullname} has moved: import its names from {MOVED[fullname]}", name=fullname)


MOVED_FUNCTIONS = {"repeat": "x.repeat(...)"}
"""What `handmade` had although PyTorch does not: torch.repeat does not exist."""

MOVED_METHODS = {
    "ImageClassification.probabilities": "task.use.probabilities",
    "LRScheduler.rate": "scheduler.closed",
    "LanguageModelling.max_norm": "task.recipe.max_norm",
    "LanguageModelling.write": "task.use.write",
    "MaskedLanguageModelling.fill": "task.use.fill",
    "Recipe.optimizer": "recipe.make_optimizer(model)",
    "Recipe.schedule": "recipe.make_schedule(optimizer, total_steps)",
    "Run.resume_command": "handmade train --resume FOLDER",
    "Run.trained_task": "run.use()",
    "SpeechClassification.describe": "task.use.describe",
    "SpeechClassification.features": "task.use.features",
    "SpeechClassification.max_norm": "task.recipe.max_norm",
    "SpeechClassification.probabilities": "task.use.probabilities",
    "TranslationTask.alignment": "task.use.alignment",
    "TranslationTask.translate": "task.use.translate",
    "TranslationTask.usage": "task.use",
    "TriggerDetection.describe": "task.use.describe",
    "TriggerDetection.max_norm": "task.recipe.max_norm",
    "TriggerDetection.probabilities": "task.use.probabilities",
}


class HasMoved:
    """A class whose methods have moved: asking for one raises an AttributeError that says what to use."""

    if not TYPE_CHECKING:  # for a type checker they are unknown, as any other name is

        def __getattr__(self, name: str) -> Any:
            for kind in type(self).__mro__:
                known = f"{kind.__name__}.{name}"
                if known in MOVED_METHODS:
                    raise AttributeError(f"{known} has moved: use {MOVED_METHODS[known]}")
            return object.__getattribute__(self, name)  # raises what was raised
