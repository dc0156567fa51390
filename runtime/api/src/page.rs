//! Lists a page at a time: the envelope of Twilio's API.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;
use store::{Cursor, Page};
use url::form_urlencoded::Serializer;

use crate::parameters::Parameters;
use crate::problem::Problem;

/// Rows on a page that names no size.
const DEFAULT_SIZE: usize = 50;
/// Rows on a page, at most. Who asks for more gets as many, as at Twilio.
const MAX_SIZE: usize = 1000;
/// Pages whose tokens are in that of each page: its own, and those before it, to which a list can be walked back.
const MAX_TRAIL: usize = 20;
/// Between the tokens of the pages.
const THEN: char = '.';

/// Which page is asked for.
#[derive(Debug, Clone)]
pub(crate) struct PageRequest<S> {
    pub(crate) size: usize,
    /// Counts from 0; clients take it from `next_page_uri` with the token.
    number: usize,
    pub(crate) from: Option<Cursor<S>>,
    /// Where the pages begin that led here, this one the last; [`MAX_TRAIL`] at most.
    trail: Vec<Cursor<S>>,
}

/// The envelope.
#[derive(Debug, Serialize)]
pub(crate) struct ListPage {
    /// The rows, under the list's name.
    #[serde(flatten)]
    list: BTreeMap<&'static str, Vec<Value>>,
    page: usize,
    page_size: usize,
    start: usize,
    end: usize,
    uri: String,
    first_page_uri: String,
    next_page_uri: Option<String>,
    previous_page_uri: Option<String>,
}

impl<S: Copy + Display + FromStr> PageRequest<S> {
    pub(crate) fn read(parameters: &Parameters) -> Result<Self, Problem> {
        let number = |name: &str, default: usize| match parameters.get(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| {
                Problem::bad_parameter(format!("`{name}` must be a number, such as `{default}`"))
            }),
        };
        let size = number("PageSize", DEFAULT_SIZE)?.min(MAX_SIZE);
        if size == 0 {
            return Err(Problem::bad_parameter(format!(
                "`PageSize` must be 1 to {MAX_SIZE}"
            )));
        }
        let tokens = parameters.get("PageToken").into_iter();
        let trail: Result<Vec<_>, _> = tokens
            .flat_map(|token| token.split(THEN))
            .map(str::parse::<Cursor<S>>)
            .collect();
        let trail =
            trail.map_err(|error| Problem::bad_parameter(format!("`PageToken` is {error}")))?;
        let number = number("Page", 0)?;
        let is_whole = (number == 0) == trail.is_empty();
        if !is_whole || trail.len() > number.min(MAX_TRAIL) {
            let message = "`Page` and `PageToken` go together: take both from `next_page_uri`";
            return Err(Problem::bad_parameter(message));
        }
        Ok(Self {
            size,
            number,
            from: trail.last().copied(),
            trail,
        })
    }

    /// The envelope of the page that was found, for the list of this name and path, filtered by `filters`.
    pub(crate) fn answer<R, T: Serialize>(
        &self,
        list: &'static str,
        path: &str,
        filters: &[(&str, &str)],
        page: Page<R, S>,
        mut show: impl FnMut(R) -> T,
    ) -> ListPage {
        let uri = |number: usize, trail: &[Cursor<S>]| {
            let mut query = Serializer::new(String::new());
            query.extend_pairs(filters);
            query.append_pair("PageSize", &self.size.to_string());
            query.append_pair("Page", &number.to_string());
            if !trail.is_empty() {
                let tokens: Vec<_> = trail.iter().map(Cursor::to_string).collect();
                query.append_pair("PageToken", &tokens.join(&THEN.to_string()));
            }
            format!("{path}?{}", query.finish())
        };
        let next = page.next.map(|next| {
            let mut trail = self.trail.clone();
            trail.push(next);
            let too_old = trail.len().saturating_sub(MAX_TRAIL);
            uri(self.number.saturating_add(1), &trail[too_old..])
        });
        let previous = match self.trail.as_slice() {
            [_] if self.number == 1 => Some(uri(0, &[])),
            [before @ .., _] if !before.is_empty() => Some(uri(self.number - 1, before)),
            _ => None,
        };
        let start = self.number.saturating_mul(self.size);
        let json = |row| serde_json::to_value(show(row)).expect("a resource has a form in JSON");
        ListPage {
            page: self.number,
            page_size: self.size,
            start,
            end: start.saturating_add(page.rows.len().saturating_sub(1)),
            uri: uri(self.number, &self.trail),
            first_page_uri: uri(0, &[]),
            next_page_uri: next,
            previous_page_uri: previous,
            list: BTreeMap::from([(list, page.rows.into_iter().map(json).collect())]),
        }
    }
}
