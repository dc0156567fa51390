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
/// Rows on a page, at most.
const MAX_SIZE: usize = 1000;

/// Which page is asked for.
#[derive(Debug, Clone)]
pub(crate) struct PageRequest<S> {
    pub(crate) size: usize,
    /// Counts from 0; clients take it from `next_page_uri` with the token.
    number: usize,
    pub(crate) from: Option<Cursor<S>>,
}

/// The envelope. There is no way back: `previous_page_uri` is always null, since a page token leads forward only.
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
        let size = number("PageSize", DEFAULT_SIZE)?;
        if !(1..=MAX_SIZE).contains(&size) {
            return Err(Problem::bad_parameter(format!(
                "`PageSize` must be 1 to {MAX_SIZE}"
            )));
        }
        let from = parameters
            .get("PageToken")
            .map(str::parse::<Cursor<S>>)
            .transpose();
        let from =
            from.map_err(|error| Problem::bad_parameter(format!("`PageToken` is {error}")))?;
        let number = number("Page", 0)?;
        if (number == 0) != from.is_none() {
            let message = "`Page` and `PageToken` go together: take both from `next_page_uri`";
            return Err(Problem::bad_parameter(message));
        }
        Ok(Self { size, number, from })
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
        let uri = |number: usize, from: Option<Cursor<S>>| {
            let mut query = Serializer::new(String::new());
            query.extend_pairs(filters);
            query.append_pair("PageSize", &self.size.to_string());
            query.append_pair("Page", &number.to_string());
            query.extend_pairs(from.map(|from| ("PageToken", from.to_string())));
            format!("{path}?{}", query.finish())
        };
        let start = self.number.saturating_mul(self.size);
        let json = |row| serde_json::to_value(show(row)).expect("a resource has a form in JSON");
        ListPage {
            page: self.number,
            page_size: self.size,
            start,
            end: start.saturating_add(page.rows.len().saturating_sub(1)),
            uri: uri(self.number, self.from),
            first_page_uri: uri(0, None),
            next_page_uri: page
                .next
                .map(|next| uri(self.number.saturating_add(1), Some(next))),
            previous_page_uri: None,
            list: BTreeMap::from([(list, page.rows.into_iter().map(json).collect())]),
        }
    }
}
