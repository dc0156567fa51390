//! Resources of Twilio's that are not there: the 404 says why, and what is there in their place.

use axum::http::Uri;

use crate::problem::Problem;

/// The part of a path that names such a resource, and what is said of it.
pub(crate) const RESOURCES: &[(&str, &str)] = &[
    (
        "AddOnResults",
        "recordings are not analysed: fetch the file, and analyse it yourself",
    ),
    (
        "Addresses",
        "numbers need no address here: the operator gives them",
    ),
    (
        "AuthorizedConnectApps",
        "there are no connect apps: make a key or a subaccount",
    ),
    ("Balance", "there are no prices here"),
    (
        "ConnectApps",
        "there are no connect apps: make a key or a subaccount",
    ),
    (
        "Payments",
        "no payments are taken: nobody here may keep the digits of a card",
    ),
    (
        "SIP",
        "trunks, gateways and telephones are the operator's to set up, in the tenants file",
    ),
    ("ShortCodes", "short codes are IncomingPhoneNumbers"),
    (
        "Siprec",
        "no SIPREC recorder can be reached: record the call, or use Streams",
    ),
    ("SigningKeys", "keys are made and listed as Keys"),
    ("Tokens", "there is no TURN server: calls come over SIP"),
    (
        "Transcriptions",
        "nothing is transcribed: ask by Gather with speech, or use Streams",
    ),
    (
        "UserDefinedMessageSubscriptions",
        "no SDK calls this server: use Streams",
    ),
    (
        "UserDefinedMessages",
        "no SDK calls this server: use Streams",
    ),
];

/// The answer to a path that is no route.
pub(crate) fn answer(uri: &Uri) -> Problem {
    let mut problem = Problem::not_found(uri);
    let path = uri.path();
    if !path.starts_with("/2010-04-01/Accounts/") {
        return problem;
    }
    // Behind the account's SID.
    let mut parts = path.split('/').skip(4);
    let part = parts.find_map(|part| {
        let part = part.strip_suffix(".json").unwrap_or(part);
        RESOURCES.iter().find(|(name, _)| *name == part)
    });
    if let Some((name, why)) = part {
        problem.message = format!("{}: this server has no {name}; {why}", problem.message);
    }
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_that_is_not_there_says_why() {
        let account = "/2010-04-01/Accounts/AC00000000000000000000000000000001";
        for (path, expected) in [
            ("/Calls/CA1/Payments.json", Some("no payments are taken")),
            ("/Calls/CA1/Siprec/SR1.json", Some("no SIPREC recorder")),
            ("/SIP/Domains.json", Some("trunks, gateways and telephones")),
            ("/Calls/CA1/Nothing.json", None),
            ("/payments.json", None),
        ] {
            let uri: Uri = format!("{account}{path}").parse().unwrap();
            let problem = answer(&uri);
            assert_eq!((problem.status.as_u16(), problem.code), (404, 20404));
            let why = problem.message.split_once("; ").map(|(_, why)| why);
            assert_eq!(why.is_some(), expected.is_some(), "{}", problem.message);
            assert!(
                why.unwrap_or_default()
                    .starts_with(expected.unwrap_or_default())
            );
        }
    }

    #[test]
    fn the_page_about_the_libraries_has_each_of_them() {
        let page = include_str!("../../../docs/book/helper-libraries.md");
        let (_, absent) = page.split_once("## What is not there").unwrap();
        let rows = absent.lines().filter(|line| line.starts_with("| `"));
        let rows: Vec<_> = rows.collect();
        let expected = RESOURCES.iter();
        let expected = expected.map(|(name, why)| format!("| `{name}` | {why} |"));
        assert_eq!(rows, expected.collect::<Vec<_>>());
    }
}
