"""GuiLoMo's estimators and models in PySpark's pipelines.

spark-submit --jars guilomo-spark-jobs.jar --py-files guilomo_ml.py ...

    from guilomo_ml import GuilomoClassifier
    classifier = GuilomoClassifier(modelPath="/models/all-MiniLM-L6-v2", textCol="sentence",
                                   outputDir="/runs", epochs=4)
    model = classifier.fit(train)            # a column label of classes from 0
    model.transform(test)                    # columns prediction and probability
    model.write().overwrite().save("/models/mine")

Parameters are those of the Java classes, which explainParams() describes; they are given to the
constructor or to setParams(), and to a ParamGridBuilder as classifier.learningRate.
"""

import sys

from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.util import JavaMLReadable, JavaMLWritable
from pyspark.ml.wrapper import JavaEstimator, JavaModel

_JAVA = "io.guilomo.spark.ml"

# PySpark finds the class of what a pipeline has saved by the name of its class in Java.
sys.modules[_JAVA] = sys.modules[__name__]


def _param(name, doc, converter=TypeConverters.toString):
    return Param(Params._dummy(), name, doc, typeConverter=converter)


class _Scoring(Params):
    textCol = _param("textCol", "column of the text")
    secondTextCol = _param("secondTextCol", "column of the second text, for pairs")
    modelPath = _param("modelPath", "directory of the pretrained model")
    settings = _param(
        "settings",
        "other keys of the configuration, each key=value",
        TypeConverters.toListString,
    )

    def setParams(self, **params):
        """Sets parameters by their names."""
        return self._set(**params)


class _Prediction(Params):
    predictionCol = _param("predictionCol", "column of the predicted class")
    probabilityCol = _param("probabilityCol", "column of the classes' probabilities")


class _Training(Params):
    labelCol = _param("labelCol", "column of the class, from 0")
    strategy = _param("strategy", "how the plan is made")
    budget = _param("budget", "maximum number of trainable parameters", TypeConverters.toInt)
    searchEpochs = _param(
        "searchEpochs",
        "passes of the search, need not be a whole number",
        TypeConverters.toFloat,
    )
    batchSize = _param("batchSize", "records per step and worker", TypeConverters.toInt)
    maxExperts = _param("maxExperts", "maximum number of experts", TypeConverters.toInt)
    maxRank = _param("maxRank", "maximum rank of an expert", TypeConverters.toInt)
    seed = _param("seed", "seed of everything that is random", TypeConverters.toInt)
    outputDir = _param("outputDir", "directory of the runs and tables")


class GuilomoClassifier(
    JavaEstimator, _Scoring, _Training, _Prediction, JavaMLReadable, JavaMLWritable
):
    """Makes a plan, unless it is given one, and trains the classifier that it describes."""

    __module__ = _JAVA

    plan = _param("plan", "plan to train; without, strategy makes one")
    epochs = _param("epochs", "passes of the fine-tuning", TypeConverters.toInt)
    learningRate = _param(
        "learningRate", "learning rate of the fine-tuning", TypeConverters.toFloat
    )

    def __init__(self, **params):
        super().__init__()
        self._java_obj = self._new_java_obj(_JAVA + ".GuilomoClassifier", self.uid)
        self._setDefault(
            textCol="text",
            labelCol="label",
            predictionCol="prediction",
            probabilityCol="probability",
        )
        self._set(**params)

    def _create_model(self, java_model):
        return GuilomoClassificationModel(java_model)


class GuilomoClassificationModel(
    JavaModel, _Scoring, _Prediction, JavaMLReadable, JavaMLWritable
):
    """Adds the class and the probabilities of all classes to rows of texts."""

    __module__ = _JAVA

    @property
    def labels(self):
        """The names of the classes, by number."""
        return list(self._call_java("labels"))

    @property
    def adapter(self):
        """The directory of the adapter."""
        return self._call_java("adapter")


class GuilomoAllocator(JavaEstimator, _Scoring, _Training, JavaMLReadable, JavaMLWritable):
    """Makes an allocation plan, and trains nothing with it."""

    __module__ = _JAVA

    def __init__(self, **params):
        super().__init__()
        self._java_obj = self._new_java_obj(_JAVA + ".GuilomoAllocator", self.uid)
        self._setDefault(textCol="text", labelCol="label")
        self._set(**params)

    def _create_model(self, java_model):
        return GuilomoAllocationModel(java_model)


class GuilomoAllocationModel(JavaModel, JavaMLReadable, JavaMLWritable):
    """An allocation plan; saved, the directory of a plan.json."""

    __module__ = _JAVA

    def plan(self):
        """The plan, one row per expert."""
        return self._call_java("plan")

    def json(self):
        """The plan as plan.json has it."""
        return self._call_java("json")
