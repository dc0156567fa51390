#!/usr/bin/env python3
"""Writes src/plans.rs from libphonenumber's metadata, as the Python package `phonenumbers` carries it.

    python3 -m venv venv && venv/bin/pip install phonenumbers && venv/bin/python data/generate.py > src/plans.rs
"""

import re

import phonenumbers
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    COUNTRY_CODES_FOR_NON_GEO_REGIONS,
    SUPPORTED_REGIONS,
    PhoneMetadata,
)


def text(pattern):
    """A pattern as a Rust literal."""
    pattern = pattern or ""
    return f'r"{pattern}"' if "\\" in pattern else f'"{pattern}"'


def written_idd(metadata):
    """What a peer of this country puts before an international number: the one prefix there is, or else 00."""
    prefix = metadata.preferred_international_prefix or metadata.international_prefix or ""
    prefix = prefix.replace("~", "")
    return prefix if prefix.isdigit() else "00"


def written_trunk_prefix(metadata):
    """What goes before a national number; nothing in North America, where ten digits are the national form."""
    return "" if metadata.country_code == 1 else metadata.national_prefix or ""


def emergency(region):
    """The emergency numbers, spelt out."""
    short = PhoneMetadata.short_metadata_for_region(region)
    desc = short and short.emergency
    if not desc or not desc.national_number_pattern:
        return []
    pattern = re.compile(desc.national_number_pattern)
    numbers = (f"{n:0{length}d}" for length in desc.possible_length for n in range(10**length))
    return [number for number in numbers if pattern.fullmatch(number)]


def row(name, metadata, emergency_numbers):
    listed = ", ".join(f'"{number}"' for number in emergency_numbers)
    transform = (metadata.national_prefix_transform_rule or "").replace("\\1", "$1").replace("\\2", "$2")
    cells = [
        f'"{name}"',
        str(metadata.country_code),
        text(metadata.international_prefix),
        text(written_idd(metadata)),
        text(metadata.national_prefix_for_parsing),
        text(transform),
        text(written_trunk_prefix(metadata)),
        text(metadata.general_desc.national_number_pattern),
        f"&[{listed}]",
    ]
    return f"    plan({', '.join(cells)}),"


def table(name, doc, kind, rows):
    print(f"\n/// {doc}")
    print(f"#[rustfmt::skip]\npub(crate) static {name}: [{kind}; {len(rows)}] = [")
    print("\n".join(rows))
    print("];")


print(f"""//! The numbering plans of the world. Written by `data/generate.py` from the metadata of libphonenumber
//! {phonenumbers.__version__} (Copyright The Libphonenumber Authors, Apache License 2.0).

use crate::plan::{{Plan, plan}};""")
countries = [
    row(region, PhoneMetadata.metadata_for_region(region), emergency(region)) for region in sorted(SUPPORTED_REGIONS)
]
shared = [
    row("", PhoneMetadata.metadata_for_nongeo_region(code), []) for code in sorted(COUNTRY_CODES_FOR_NON_GEO_REGIONS)
]
main = [
    f'    ({code}, "{regions[0]}"),' for code, regions in sorted(COUNTRY_CODE_TO_REGION_CODE.items()) if len(regions) > 1
]
table("PLANS", "Every country's, sorted by country.", "Plan", countries)
table("SHARED", "Of calling codes that belong to no country: freephone, satellites, networks.", "Plan", shared)
table("MAIN", "Of the countries that share a calling code, the one whose habits stand for it.", "(u16, &str)", main)
