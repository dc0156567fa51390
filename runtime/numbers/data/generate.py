#!/usr/bin/env python3
"""Writes src/emergency_numbers.rs from libphonenumber's ShortNumberMetadata, as the Python package `phonenumbers` carries it.

    python3 -m venv venv && venv/bin/pip install phonenumbers && venv/bin/python data/generate.py > src/emergency_numbers.rs
"""

import re

import phonenumbers
from phonenumbers import SUPPORTED_REGIONS, PhoneMetadata


def emergency(region):
    """The emergency numbers of a region, spelt out."""
    short = PhoneMetadata.short_metadata_for_region(region)
    desc = short and short.emergency
    if not desc or not desc.national_number_pattern:
        return []
    pattern = re.compile(desc.national_number_pattern)
    numbers = (f"{n:0{length}d}" for length in desc.possible_length for n in range(10**length))
    return [number for number in numbers if pattern.fullmatch(number)]


rows = [(region, emergency(region)) for region in sorted(SUPPORTED_REGIONS)]
rows = [(region, numbers) for region, numbers in rows if numbers]
print(f"""//! The emergency numbers of the world. Written by `data/generate.py` from the `ShortNumberMetadata` of libphonenumber
//! {phonenumbers.__version__} (Copyright The Libphonenumber Authors, Apache License 2.0).

/// Each country's, as dialled there, sorted by country.
#[rustfmt::skip]
pub(crate) static EMERGENCY_NUMBERS: [(&str, &[&str]); {len(rows)}] = [""")
for region, numbers in rows:
    listed = ", ".join(f'"{number}"' for number in numbers)
    print(f'    ("{region}", &[{listed}]),')
print("];")
