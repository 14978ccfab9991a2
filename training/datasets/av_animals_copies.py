"""Which clips of ESC-10 and of the animal calls come from one recording.

Measured once: two clips of a class are copies when the highest normalised cross-correlation of
their first differences, at 4 kHz and over all shifts, is 0.42 or more (tonal bird calls reach 0.39
by chance). Copies at another speed are not found this way.
"""

from typing import Final

_GROUPS: Final = (
    "Kus_79 Kus_90",
    "Kus_106 Kus_107",
    "Kus_169 Kus_170",
    "aslan_2 aslan_7",
    "aslan_6 aslan_19",
    "aslan_26 aslan_34",
    "aslan_36 aslan_45",
    "cat_1 cat_2 cat_3",
    "cat_12 cat_13",
    "cat_21 cat_22",
    "cat_40 cat_41",
    "cat_42 cat_43",
    "cat_46 cat_47 cat_48",
    "cat_49 cat_50",
    "cat_62 cat_63",
    "cat_72 cat_73 cat_74",
    "cat_94 cat_95",
    "cat_4 cat_100",
    "cat_102 cat_103",
    "cat_146 cat_147",
    "cat_152 cat_153",
    "cat_159 cat_160",
    "cat_165 cat_166 cat_167",
    "cat_168 cat_186",
    "cat_135 cat_187",
    "cat_121 cat_177 cat_190",
    "cat_172 cat_174 cat_182 cat_192 cat_195 cat_196",
    "dog_1 dog_2",
    "3-155312-A dog_14",
    "4-207124-A dog_23",
    "dog_21 dog_77",
    "1-30344-A dog_90 dog_91",
    "2-117271-A dog_99",
    "1-97392-A dog_105",
    "dog_124 dog_177 dog_186",
    "dog_191 dog_199",
    "inek_16 inek_42",
    "inek_26 inek_32 inek_47",
    "inek_8 inek_51",
    "inek_27 inek_53",
    "inek_61 inek_62",
    "inek_41 inek_63",
    "inek_28 inek_44 inek_66",
    "inek_17 inek_31 inek_45 inek_48 inek_49 inek_59 inek_67",
    "inek_4 inek_54 inek_68",
    "koyun_1 koyun_2",
    "koyun_28 koyun_32",
    "koyun_7 koyun_19 koyun_35",
    "koyun_4 koyun_10 koyun_18 koyun_22 koyun_37",
    "koyun_25 koyun_39",
    "kurbaga_2 kurbaga_4",
    "kurbaga_5 kurbaga_6 kurbaga_8 kurbaga_15 kurbaga_17 kurbaga_26 kurbaga_27",
    "maymun_2 maymun_5 maymun_11 maymun_25",
    "tavuk_11 tavuk_14",
    "tavuk_8 tavuk_15",
    "tavuk_6 tavuk_20",
    "tavuk_4 tavuk_29",
)

COPIES: Final = tuple(tuple(group.split()) for group in _GROUPS)
"""Groups of file stems, each clip in one group at most; a clip of ESC-10 comes first."""
