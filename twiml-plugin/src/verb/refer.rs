//! `<Refer>`: whom the other side is to call, and where to go afterwards.

use super::{Link, Reading};
use crate::fault::NOT_IN_SCHEMA;
use crate::parse::Element;

/// The other side is sent on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refer {
    /// A SIP URI, or a telephone number.
    pub(crate) target: String,
    /// Without one the document goes on.
    pub(crate) action: Option<Link>,
}

impl Reading {
    /// None when nobody is named in it.
    pub(super) fn refer(&mut self, element: &Element) -> Option<Refer> {
        self.know(element, &["action", "method"]);
        let mut target = None;
        for noun in element.elements() {
            match noun.name.as_str() {
                "Sip" if target.is_none() => {
                    self.know(noun, &[]);
                    target = Some(noun.text().trim().to_owned());
                }
                other => {
                    let message = format!("<{other}> in <Refer> is ignored");
                    self.warn(NOT_IN_SCHEMA, message);
                }
            }
        }
        let Some(target) = target.filter(|target| !target.is_empty()) else {
            self.warn(NOT_IN_SCHEMA, "Refer: there is no <Sip> in it");
            return None;
        };
        let action = element.attribute("action").map(|url| Link {
            url: url.trim().to_owned(),
            method: self.method(element, NOT_IN_SCHEMA),
        });
        Some(Refer { target, action })
    }
}

#[cfg(test)]
mod tests {
    use jackfield_guest::HttpMethod;

    use super::super::Verb;
    use super::super::tests::{check, check_ignored};
    use super::*;

    #[test]
    fn reads_refer() {
        let to_alice = |action| {
            Verb::Refer(Refer {
                target: "sip:alice@example.com?X-Account=1&X-Why=b".to_owned(),
                action,
            })
        };
        let noun = "<Sip> sip:alice@example.com?X-Account=1&amp;X-Why=b\n</Sip>";
        check(&format!("<Refer>{noun}</Refer>"), to_alice(None), &[]);
        let link = |method| Link {
            url: "/after".to_owned(),
            method,
        };
        check(
            &format!("<Refer action=' /after'>{noun}</Refer>"),
            to_alice(Some(link(HttpMethod::Post))),
            &[],
        );
        check(
            &format!(
                "<Refer action='/after' method='get' timeout='3'><Number>+1</Number>{noun}<Sip>b</Sip></Refer>"
            ),
            to_alice(Some(link(HttpMethod::Get))),
            &[
                "12200 Refer: the attribute timeout is unknown",
                "12200 <Number> in <Refer> is ignored",
                "12200 <Sip> in <Refer> is ignored",
            ],
        );
        for inner in [
            "<Refer/>",
            "<Refer><Sip> </Sip></Refer>",
            "<Refer>sip:a@b</Refer>",
        ] {
            check_ignored(inner, &["12200 Refer: there is no <Sip> in it"]);
        }
    }
}
