use std::collections::BTreeSet;

use super::*;
use crate::synthetic::Chance;

const LANGUAGES: [&str; 4] = ["en", "km", "lo", "so"];

fn rules(language: &str) -> PhraseRules {
    PhraseRules::bundled(language).unwrap()
}

/// The words that are heard.
fn text(rules: &PhraseRules, what: Spoken<'_>) -> String {
    rules.words(what).unwrap()
}

#[test]
fn numbers_are_put_together_as_each_language_does() {
    for (language, value, expected) in [
        ("en", 0, "zero"),
        ("en", 13, "thirteen"),
        ("en", 21, "twenty one"),
        ("en", 100, "one hundred"),
        ("en", 305, "three hundred five"),
        ("en", 1_000_000, "one million"),
        ("en", 12_345, "twelve thousand three hundred forty five"),
        (
            "en",
            999_000_000_001,
            "nine hundred ninety nine billion one",
        ),
        ("km", 7, "ប្រាំពីរ"),
        ("km", 11, "ដប់ មួយ"),
        ("km", 27, "ម្ភៃ ប្រាំពីរ"),
        ("km", 100, "មួយ រយ"),
        ("km", 25_000, "ពីរ ម៉ឺន ប្រាំ ពាន់"),
        ("km", 350_000, "បី សែន ប្រាំ ម៉ឺន"),
        ("km", 12_000_000, "ដប់ ពីរ លាន"),
        ("lo", 11, "ສິບ ເອັດ"),
        ("lo", 12, "ສິບ ສອງ"),
        ("lo", 21, "ຊາວ ເອັດ"),
        ("lo", 31, "ສາມສິບ ເອັດ"),
        ("lo", 101, "ໜຶ່ງ ຮ້ອຍ ໜຶ່ງ"),
        ("lo", 10_000, "ສິບ ພັນ"),
        ("lo", 250_000, "ສອງ ແສນ ຫ້າສິບ ພັນ"),
        ("so", 11, "kow iyo toban"),
        ("so", 34, "afar iyo soddon"),
        ("so", 100, "boqol"),
        ("so", 111, "boqol iyo kow iyo toban"),
        ("so", 528, "shan boqol iyo siddeed iyo labaatan"),
        ("so", 1_000, "kun"),
        ("so", 2_000, "laba kun"),
        ("so", 21_000, "kow iyo labaatan kun"),
    ] {
        let said = text(&rules(language), Spoken::Number(value));
        assert_eq!(said, expected, "{language} {value}");
    }
}

#[test]
fn every_number_up_to_the_largest_has_words_and_no_two_have_the_same() {
    for language in LANGUAGES {
        let rules = rules(language);
        let mut seen = BTreeSet::new();
        for value in 0..30_000 {
            let files = rules.say(Spoken::Number(value)).unwrap();
            assert!(seen.insert(files.join(" ")), "{language} {value}");
        }
        let mut chance = Chance::new(5);
        let random = (0..20_000).map(|_| chance.bits() % (rules.0.max + 1));
        for value in random.chain([rules.0.max]) {
            for file in rules.say(Spoken::Number(value)).unwrap() {
                assert!(rules.0.script.contains_key(&file), "{language} {value}");
            }
        }
        let error = rules.say(Spoken::Number(rules.0.max + 1)).unwrap_err();
        assert!(matches!(error, PhraseError::TooLarge { .. }));
    }
}

#[test]
fn dates_and_years() {
    for (language, (year, month, day), expected) in [
        (
            "en",
            (1999, 12, 31),
            "December thirty-first nineteen ninety nine",
        ),
        ("en", (2026, 3, 1), "March first twenty twenty six"),
        ("en", (2005, 1, 2), "January second two thousand five"),
        ("en", (1905, 1, 2), "January second nineteen oh five"),
        (
            "en",
            (1900, 2, 28),
            "February twenty-eighth nineteen hundred",
        ),
        ("km", (2026, 4, 14), "ដប់ បួន មេសា ពីរ ពាន់ ម្ភៃ ប្រាំមួយ"),
        ("lo", (2024, 2, 29), "ຊາວ ເກົ້າ ກຸມພາ ສອງ ພັນ ຊາວ ສີ່"),
        (
            "so",
            (2026, 7, 1),
            "Luulyo kow laba kun iyo lix iyo labaatan",
        ),
    ] {
        let date = Spoken::Date {
            year: Some(year),
            month,
            day,
        };
        assert_eq!(text(&rules(language), date), expected, "{language}");
    }
    let leap_day = Spoken::Date {
        year: None,
        month: 2,
        day: 29,
    };
    assert_eq!(text(&rules("en"), leap_day), "February twenty-ninth");
    for (year, month, day) in [
        (Some(2023), 2, 29),
        (Some(1900), 2, 29),
        (Some(2026), 4, 31),
        (Some(2026), 13, 1),
        (Some(2026), 0, 1),
        (Some(2026), 1, 0),
        (Some(0), 1, 1),
        (None, 2, 30),
    ] {
        let error = rules("en").say(Spoken::Date { year, month, day });
        assert_eq!(error, Err(PhraseError::NotADate { year, month, day }));
    }
}

#[test]
fn amounts_of_money() {
    for (language, currency, units, hundredths, expected) in [
        ("en", "USD", 1, 0, "one dollar"),
        ("en", "USD", 0, 0, "zero dollars"),
        ("en", "USD", 0, 50, "fifty cents"),
        ("en", "USD", 12, 1, "twelve dollars and one cent"),
        ("km", "KHR", 4_000, 0, "បួន ពាន់ រៀល"),
        ("lo", "LAK", 1, 0, "ໜຶ່ງ ກີບ"),
    ] {
        let amount = Spoken::Amount {
            units,
            hundredths,
            currency,
        };
        assert_eq!(text(&rules(language), amount), expected, "{language}");
    }
    for (language, currency, hundredths, what) in [
        ("en", "XAU", 0, "XAU"),
        ("km", "KHR", 5, "5 hundredths of KHR"),
        ("en", "USD", 100, "100 hundredths of USD"),
    ] {
        let amount = Spoken::Amount {
            units: 1,
            hundredths,
            currency,
        };
        let error = PhraseError::Currency {
            language: language.to_owned(),
            what: what.to_owned(),
        };
        assert_eq!(rules(language).say(amount), Err(error));
    }
}

#[test]
fn codes_are_spelled() {
    let rules = rules("so");
    let files = rules.say(Spoken::Code("4-0 7aZ*#")).unwrap();
    assert_eq!(files, ["4", "0", "7", "a", "z", "star", "hash"]);
    assert_eq!(rules.say(Spoken::Code("1é")), Err(PhraseError::Sign('é')));
}

#[test]
fn a_missing_file_is_named_with_what_to_record() {
    let names = [
        "2.wav",
        "thousand.mp3",
        "6.wav",
        "20.wav",
        "month-7.wav",
        "1",
    ];
    let set = PhraseSet::new(rules("so"), names.map(str::to_owned));
    assert_eq!(
        set.say(Spoken::Number(2_000)).unwrap(),
        ["2.wav", "thousand.mp3"]
    );
    assert_eq!(set.say(Spoken::Code("12")).unwrap(), ["1", "2.wav"]);
    for (what, expected) in [
        (
            Spoken::Number(2_026),
            "so: no recording and in the folder; record \"iyo\" as and.wav",
        ),
        (
            Spoken::Code("a"),
            "so: no recording a in the folder; record \"a\" as a.wav",
        ),
        (
            Spoken::Word("welcome"),
            "so: no recording welcome in the folder; record \"welcome\" as welcome.wav",
        ),
    ] {
        assert_eq!(set.say(what).unwrap_err().to_string(), expected);
    }
    let script = set.rules.script().count();
    assert_eq!(set.missing().count(), script - names.len());
    assert!(set.missing().any(|line| line == ("and", "iyo")));
}

#[test]
fn rules_that_lack_something_say_what() {
    let whole = BUNDLED[3];
    for (part, instead, expected) in [
        ("language =", "lang =", "unknown field `lang`"),
        ("7 = \"toddoba\"", "", "add 7 to `numbers.words`"),
        ("90 = \"sagaashan\"", "", "add 90 to `numbers.words`"),
        ("7 = \"toddoba\"", "x = \"toddoba\"", "use numbers"),
        ("value = 100\n", "value = 10\n", "begin with 100"),
        ("value = 1_000\n", "value = 100\n", "begin with 100"),
        ("and = \"iyo\"", "", "add \"and\" to `words`"),
        ("\"Jannaayo\", ", "", "12 months"),
        ("\"{year}\"]", "\"year\"]", "add \"year\" to `words`"),
        (
            "year = \"number\"",
            "year = \"pairs\"",
            "add \"oh\" to `words`",
        ),
        (
            "file = \"thousand\"",
            "file = \"../kun\"",
            "name \"../kun\" otherwise",
        ),
    ] {
        let file = whole.replacen(part, instead, 1);
        assert_ne!(file, whole, "{part}");
        let error = PhraseRules::parse(&file).unwrap_err().to_string();
        assert!(error.contains(expected), "{part}: {error}");
    }
}

#[test]
fn a_language_is_found_by_its_name() {
    for (name, found) in [
        ("en", true),
        ("so-SO", true),
        ("km", true),
        ("xx", false),
        ("", false),
    ] {
        assert_eq!(PhraseRules::bundled(name).is_some(), found, "{name}");
    }
}
