//! Lists a page at a time: the envelope of Twilio's API.

use call::AccountSid;
use serde::Serialize;
use store::{Cursor, Page};
use url::form_urlencoded::Serializer;

use crate::call_resource::CallResource;
use crate::parameters::Parameters;
use crate::problem::Problem;

/// Calls on a page that names no size.
const DEFAULT_SIZE: usize = 50;
/// Calls on a page, at most.
const MAX_SIZE: usize = 1000;

/// Which page is asked for.
#[derive(Debug, Clone)]
pub(crate) struct PageRequest {
    pub(crate) size: usize,
    /// Counts from 0; clients take it from `next_page_uri` with the token.
    number: usize,
    pub(crate) from: Option<Cursor>,
}

/// The envelope. There is no way back: `previous_page_uri` is always null, since a page token leads forward only.
#[derive(Debug, Serialize)]
pub(crate) struct CallPage {
    calls: Vec<CallResource>,
    page: usize,
    page_size: usize,
    start: usize,
    end: usize,
    uri: String,
    first_page_uri: String,
    next_page_uri: Option<String>,
    previous_page_uri: Option<String>,
}

impl PageRequest {
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
            .map(str::parse::<Cursor>)
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

    /// The envelope of the page that was found, for a list filtered by `filters`.
    pub(crate) fn answer(
        &self,
        account: AccountSid,
        filters: &[(&str, &str)],
        page: Page,
    ) -> CallPage {
        let uri = |number: usize, from: Option<Cursor>| {
            let mut query = Serializer::new(String::new());
            query.extend_pairs(filters);
            query.append_pair("PageSize", &self.size.to_string());
            query.append_pair("Page", &number.to_string());
            query.extend_pairs(from.map(|from| ("PageToken", from.to_string())));
            format!(
                "/2010-04-01/Accounts/{account}/Calls.json?{}",
                query.finish()
            )
        };
        let start = self.number.saturating_mul(self.size);
        CallPage {
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
            calls: page.rows.into_iter().map(CallResource::from).collect(),
        }
    }
}
