"""What each model of the zoo costs: figures as data, so that a table of all takes no time. A test measures them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """For one example, in evaluation mode.

    multiply_adds: products of an input with a weight.
    activations: numbers that the operations compute on the way; 4 bytes each in float32.
    receptive_field: side in pixels of the square that the last convolution or pooling sees; None without an image.
    """

    multiply_adds: int
    activations: int
    receptive_field: int | None


COSTS = {
    "lenet5": Cost(416_520, 14_602, 32),
    "lenet5-paper": Cost(328_096, 40_439, 32),
    "alexnet": Cost(714_188_480, 1_084_904, 195),
    "alexnet-paper": Cost(724_406_816, 2_071_619, 195),
    "vgg11": Cost(7_609_090_048, 16_424_936, 150),
    "vgg13": Cost(11_308_466_176, 26_058_728, 156),
    "vgg16-c": Cost(11_770_888_192, 28_667_880, 156),
    "vgg16": Cost(15_470_264_320, 28_667_880, 212),
    "vgg19": Cost(19_632_062_464, 31_277_032, 268),
    "vgg11_bn": Cost(7_609_090_048, 23_850_984, 150),
    "vgg13_bn": Cost(11_308_466_176, 38_301_672, 156),
    "vgg16_bn": Cost(15_470_264_320, 42_215_400, 212),
    "vgg19_bn": Cost(19_632_062_464, 46_129_128, 268),
    "googlenet": Cost(1_498_376_192, 12_333_560, 379),
    "googlenet-paper": Cost(1_582_671_872, 9_910_216, 715),
    "inception_v3": Cost(5_713_216_096, 32_089_576, 2_175),
    "resnet18": Cost(1_814_073_344, 8_230_376, 435),
    "resnet34": Cost(3_663_761_408, 12_620_776, 899),
    "resnet50": Cost(4_089_184_256, 37_559_784, 427),
    "resnet101": Cost(7_801_405_440, 56_325_608, 971),
    "resnet152": Cost(11_513_626_624, 79_506_920, 1_451),
    "plain18": Cost(1_794_805_760, 7_126_504, 435),
    "plain34": Cost(3_644_493_824, 10_889_704, 899),
    "resnet152-v2": Cost(11_513_626_624, 78_001_640, 1_451),
    "resnet20": Cost(40_551_040, 663_626, 81),
    "resnet32": Cost(68_862_592, 1_065_034, 137),
    "resnet44": Cost(97_174_144, 1_466_442, 193),
    "resnet56": Cost(125_485_696, 1_867_850, 249),
    "resnet110": Cost(252_887_680, 3_674_186, 501),
    "plain20": Cost(40_551_040, 565_322, 81),
    "plain32": Cost(68_862_592, 909_386, 137),
    "plain44": Cost(97_174_144, 1_253_450, 193),
    "plain56": Cost(125_485_696, 1_597_514, 249),
    "resnet110-v2": Cost(252_887_680, 3_674_186, 501),
    "alexnet-cifar": Cost(134_838_272, 335_498, 45),
    "vgg11-cifar": Cost(152_769_536, 485_898, 150),
    "googlenet-cifar": Cost(114_378_752, 1_007_690, 189),
    "char-bigram": Cost(0, 4_160, None),
    "char-mlp": Cost(2_105_344, 34_607, None),
    "char-rnn": Cost(14_696_448, 42_048, None),
    "char-lstm": Cost(55_590_912, 43_072, None),
    "char-gru": Cost(41_959_424, 42_048, None),
    "bert-base-uncased": Cost(10_872_225_792, 21_825_024, None),
    "minilm": Cost(1_359_101_952, 5_604_096, None),
    "gpt2": Cost(126_496_800_768, 224_478_208, None),
    "gpt2-medium": Cost(361_935_929_344, 508_642_304, None),
    "gpt2-large": Cost(790_648_586_240, 906_052_608, None),
    "gpt2-xl": Cost(1_592_290_508_800, 1_473_594_368, None),
    "gpt-cpu": Cost(50_864_128, 626_752, None),
    "gpt-baby": Cost(2_724_298_752, 11_026_688, None),
    "textgenrnn": Cost(10_092_100, 44_645, None),
}
