//! What a minute costs.

use std::fmt;

use jackfield_guest::Context;
use jackfield_guest::routing::Trunk;

/// Millionths of a unit of whatever currency the operator counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Price(u64);

impl Price {
    /// What a minute to this number costs on this trunk: by the settings, or else as the trunk says.
    pub(crate) fn of(
        trunk: &Trunk,
        number: &str,
        context: &Context,
    ) -> Result<Option<Self>, String> {
        let setting = format!("price.{}", trunk.id);
        let Some(list) = context.setting(&setting) else {
            return Ok(trunk
                .price(number)
                .map(|price| Self(price.micros_per_minute)));
        };
        let mut best: Option<(usize, Self)> = None;
        for row in list.split(',') {
            let mut words = row.split_whitespace();
            let (Some(prefix), Some(price), None) = (words.next(), words.next(), words.next())
            else {
                return Err(format!(
                    "the setting `{setting}` has \"{}\": write the beginning of a number and a price, as in +855 0.031",
                    row.trim()
                ));
            };
            let price = Self::parse(price, &setting)?;
            let longer = best.is_none_or(|(length, _)| prefix.len() > length);
            if number.starts_with(prefix) && longer {
                best = Some((prefix.len(), price));
            }
        }
        Ok(best.map(|(_, price)| price))
    }

    /// Reads `0.031`: up to six digits behind the point.
    pub(crate) fn parse(text: &str, setting: &str) -> Result<Self, String> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let fits = digits(whole) && digits(fraction) && fraction.len() <= 6 && !whole.is_empty();
        let micros = fits.then(|| format!("{whole}{fraction:0<6}").parse().ok());
        micros.flatten().map(Self).ok_or_else(|| {
            format!("the setting `{setting}` has \"{text}\", and a price looks like 0.031")
        })
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, micros) = (self.0 / 1_000_000, self.0 % 1_000_000);
        let fraction = format!("{micros:06}");
        let fraction = fraction.trim_end_matches('0');
        match fraction {
            "" => write!(f, "{whole}"),
            fraction => write!(f, "{whole}.{fraction}"),
        }
    }
}
