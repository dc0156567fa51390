//! The places of a country, which are the tenant's data and not the component's.

/// One place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Two digits for each level: `16` is a province, `1602` a district of it, `160204` a commune.
    pub code: String,
    /// ISO 3166-2 of the province, such as `LA-SL`; empty for other places.
    pub iso: String,
    /// Its name in English.
    pub name_en: String,
    /// Its name in the country's script.
    pub name_local: String,
    /// The languages in which it is offered; none for all.
    pub languages: Vec<String>,
}

impl Place {
    /// Whether it is offered to who speaks this language.
    pub fn is_offered_in(&self, language: &str) -> bool {
        self.languages.is_empty() || self.languages.iter().any(|own| own == language)
    }
}

/// All places, in the order of the file: that is the order of the menus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gazetteer(Vec<Place>);

/// Columns, in this order.
const HEADER: &str = "code,iso,name_en,name_local,languages";
/// Digits of a code for each level.
const LEVEL: usize = 2;

impl Gazetteer {
    /// Reads a table with the columns `code,iso,name_en,name_local,languages`, without quotation marks; languages have blanks between them.
    ///
    /// # Errors
    /// In words, with the number of the line.
    pub fn read(table: &str) -> Result<Self, String> {
        let mut lines = table.lines().map(str::trim).enumerate();
        let mut lines = lines.by_ref().filter(|(_, line)| !line.is_empty());
        match lines.next() {
            Some((_, HEADER)) => {}
            _ => return Err(format!("the gazetteer does not begin with `{HEADER}`")),
        }
        let places: Vec<Place> = lines
            .map(|(index, line)| {
                place(line).map_err(|why| format!("line {} of the gazetteer: {why}", index + 1))
            })
            .collect::<Result<_, _>>()?;
        match places.is_empty() {
            true => Err("the gazetteer has no places".to_owned()),
            false => Ok(Self(places)),
        }
    }

    /// The places directly within another, or the provinces where its code is empty.
    pub fn within(&self, code: &str) -> Vec<&Place> {
        let is_within =
            |place: &&Place| place.code.len() == code.len() + LEVEL && place.code.starts_with(code);
        self.0.iter().filter(is_within).collect()
    }

    /// A place and those that it lies in, the smallest first.
    pub fn around(&self, code: &str) -> Vec<&Place> {
        let mut around: Vec<&Place> = self
            .0
            .iter()
            .filter(|place| code.starts_with(&place.code))
            .collect();
        around.sort_by_key(|place| std::cmp::Reverse(place.code.len()));
        around
    }
}

fn place(line: &str) -> Result<Place, String> {
    let cells: Vec<&str> = line.split(',').map(str::trim).collect();
    let [code, iso, name_en, name_local, languages] = cells[..] else {
        return Err(format!("{} columns: there must be 5", cells.len()));
    };
    let is_code = !code.is_empty() && code.len().is_multiple_of(LEVEL);
    if !is_code || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{code}` is no code: two digits for each level"));
    }
    Ok(Place {
        code: code.to_owned(),
        iso: iso.to_owned(),
        name_en: name_en.to_owned(),
        name_local: name_local.to_owned(),
        languages: languages.split_whitespace().map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "code,iso,name_en,name_local,languages
        16,KH-16,Ratanak Kiri,,khm jra
        11,KH-11,Mondul Kiri,,
        1102,,Kaoh Nheaek,,
        1101,,Kaev Seima,,
        110102,,Memang,,";

    #[test]
    fn places_come_in_the_order_of_the_file_level_by_level() {
        let gazetteer = Gazetteer::read(TABLE).unwrap();
        let codes = |places: Vec<&Place>| -> Vec<String> {
            places.into_iter().map(|place| place.code.clone()).collect()
        };
        assert_eq!(codes(gazetteer.within("")), ["16", "11"]);
        assert_eq!(codes(gazetteer.within("11")), ["1102", "1101"]);
        assert_eq!(codes(gazetteer.within("1101")), ["110102"]);
        assert!(gazetteer.within("16").is_empty());
        assert_eq!(codes(gazetteer.around("110102")), ["110102", "1101", "11"]);
        let [ratanak, mondul] = gazetteer.within("")[..] else {
            panic!("two provinces")
        };
        assert!(ratanak.is_offered_in("jra") && !ratanak.is_offered_in("cmo"));
        assert!(mondul.is_offered_in("cmo"));
    }

    #[test]
    fn what_is_no_gazetteer_is_told_with_its_line() {
        let check = |table: &str, told: &str| {
            let error = Gazetteer::read(table).unwrap_err();
            assert!(error.contains(told), "{error}");
        };
        check("", "does not begin with `code,iso");
        check("code;iso\n", "does not begin with `code,iso");
        check(HEADER, "no places");
        check(
            &format!("{HEADER}\n14,LA-SL,Salavan\n"),
            "line 2 of the gazetteer: 3 columns",
        );
        check(
            &format!("{HEADER}\n\n140,,,,\n"),
            "line 3 of the gazetteer: `140` is no code",
        );
    }
}
