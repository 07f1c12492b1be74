# SPDX-License-Identifier: Apache-2.0
"""Which files of the Open Clip Art Library are which sign.

Paths are below ``/usr/share/openclipart/svg`` as Debian's package ``openclipart-svg`` installs
it. A trailing ``|mirror`` shows the file left to right reversed.
"""

from __future__ import annotations

_ROAD = "transportation/roadsigns/"
_SYMBOLS = "signs_and_symbols/"

# Class, quarter-turn symmetry of the artwork, files without ".svg".
_ROAD_SIGNS: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("stop", 1, ("stop_sign_right_font_mig_", "stop_sign_01")),
    ("give_way", 1, ("Give_Way",)),
    ("no_entry", 1, ("do_not_enter_sign_01",)),
    ("no_entry", 2, ("no_entry",)),
    ("no_motor_vehicles", 1, ("Evel_Knievel",)),
    ("no_cycles", 1, ("no_cycles",)),
    ("no_buses", 1, ("no_buses",)),
    ("no_u_turn", 1, ("no_u_turn_sign_01",)),
    ("pass_either_side", 1, ("pass_either",)),
    ("turn_left_ahead", 1, ("turn_ahead",)),
    ("turn_right_ahead", 1, ("turn_ahead|mirror",)),
    ("one_way", 1, ("oneway",)),
    ("cycle_route", 1, ("cycles",)),
    ("parking", 1, ("parking_romus_01",)),
    ("curvy_road", 1, ("curvy_road_ahead_sign_01",)),
    ("bicycles_ahead", 1, ("watch_for_bicycles_sign_01",)),
    ("aircraft", 1, ("airplane",)),
    ("deer", 1, ("bambi",)),
    ("cattle", 1, ("cattle",)),
    ("falling_rocks", 1, ("falling_rocks",)),
    ("road_works", 1, ("man_w_umbrella", "warning..._cedric_bosdon_")),
    ("road_narrows", 1, ("narrows_both",)),
    ("gated_crossing", 1, ("rail_fence",)),
    ("railway_crossing", 1, ("train",)),
    ("roundabout", 1, ("roundabout",)),
    ("slippery_road", 1, ("slippery", "chaussee_glissante_arago_01")),
    ("quayside", 1, ("splash", "quay_sign_01")),
    ("two_way_traffic", 1, ("two_way_ahead",)),
    ("tunnel", 1, ("tunnel",)),
    ("double_bend", 1, ("zigzag",)),
)

_SAFETY_SIGNS: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("straight_arrow", 1, ("ahead_only",)),
    ("general_danger", 1, ("DangerGeneral",)),
    ("electric_danger", 1, ("DangerElectrique",)),
    ("flammable", 1, ("MatieresInflammables",)),
    ("toxic", 1, ("MatieresToxiques",)),
    ("radiation", 1, ("RadiationsIonisantes",)),
    ("laser", 1, ("RayonnementLaser",)),
    ("fork_lifts", 1, ("VehiculesManutention",)),
    ("emergency_exit", 1, ("sortie_issue_de_secours_01",)),
    ("escape_arrow", 1, ("direction_a_suivre_4_yve_01",)),
    ("emergency_shower", 1, ("douche_securite__yves_gu_01",)),
    ("emergency_telephone", 1, ("telephone_sauvetage_yves_01",)),
    ("fire_extinguisher", 1, ("extincteur_yves_guillou_01",)),
    ("fire_hose", 1, ("lance_a_incendie_yves_gu_01",)),
    ("no_smoking", 1, ("defense_de_fumer_yves_gu_01", "nosmoke")),
    ("no_pedestrians", 1, ("interdiction_pietons_yve_01",)),
    ("do_not_touch", 1, ("ne_pas_toucher_yves_guil_01",)),
    ("no_access", 1, ("entree_interdite_yves_gu_01",)),
    ("wear_gloves", 1, ("protection_obligatoire__04",)),
    ("wear_ear_protection", 1, ("protection_obligatoire__05",)),
    ("wear_boots", 1, ("protection_obligatoire__06",)),
    ("litter_bin", 1, ("keep_tidy_inside_01",)),
    ("toilets", 1, ("wc_romus_01",)),
)

SIGNS: tuple[tuple[str, int, str], ...] = tuple(
    (name, symmetry, folder + file)
    for folder, table in ((_ROAD, _ROAD_SIGNS), (_SYMBOLS, _SAFETY_SIGNS))
    for name, symmetry, files in table
    for file in files
)

# Folders whose remaining files are artwork that is none of the classes.
OTHER_FOLDERS: tuple[str, ...] = (_ROAD, _SYMBOLS, "shapes/arrows/")

# Not other artwork: they mean what a class means, or show next to nothing.
NOT_OTHERS: tuple[str, ...] = (
    "stop",
    "yield",
    "danger_general",
    "danger_lectrique",
    "high_tension",
    "advertising_yves",
    "no_smoking",
    "fumer",
    "radiations_ionisantes",
    "rayonnement_laser",
    "vehicules_manutention",
    "telephone_lutte",
    "direction_a_suivre",
    "sortie_issue",
    "turn_left",
    "keep_left",
    "no.svg",
    "chaus",
    "traffic_light",
    "keep_tidy",
    "disability",
    "wheelchair",
    "attenzione_arch",
    "m_tristan",
    "mpcad",
    "star_rating",
    "stars",
    "half_star",
    "clouds",
    "font_samples",
    "probability",
    "bwh",
    "elder",
    "oneway",
    "led_",
    "padania",
    "crop_marks",
    "double_arrow",
    "arrow",
    "nuclear",
    "radioactive",
    "no_entrance",
    "extremement",
    "facilement",
    "heart_tiles",
)
