//! `<Application>` in a `<Dial>`: an application of the account, which is called as if somebody had rung it.

use jackfield_guest::Target;

use super::Reading;
use super::attribute::boolean;
use super::callback::OF_CALL;
use super::callees::escaped;
use crate::fault::NOT_IN_SCHEMA;
use crate::parse::Element;

/// Characters of a `customerId`.
const LONGEST_CUSTOMER: usize = 256;

impl Reading {
    /// None where it names no application. What it is told stands behind a `?`, by the names that its server gets.
    pub(super) fn application(&mut self, noun: &Element) -> Option<Target> {
        self.know(
            noun,
            &[&OF_CALL[..], &["copyParentTo", "customerId"]].concat(),
        );
        let copies_to = self.value(noun, "copyParentTo", false, NOT_IN_SCHEMA, boolean);
        let customer = self.value(noun, "customerId", None, NOT_IN_SCHEMA, |customer| {
            let length = customer.chars().count();
            let fits = (1..=LONGEST_CUSTOMER).contains(&length);
            fits.then(|| Some(format!("customerId={}", escaped(customer))))
        });
        let (mut sid, mut told) = (noun.text().trim().to_owned(), Vec::from_iter(customer));
        for inner in noun.elements() {
            match inner.name.as_str() {
                "ApplicationSid" => {
                    self.know(inner, &[]);
                    sid = inner.text().trim().to_owned();
                }
                "Parameter" => told.extend(self.told_parameter(inner)),
                other => {
                    let message = format!("<{other}> in <Application> is ignored");
                    self.warn(NOT_IN_SCHEMA, message);
                }
            }
        }
        if sid.is_empty() {
            self.warn(
                NOT_IN_SCHEMA,
                "Application: there is no ApplicationSid in it",
            );
            return None;
        }
        let option = if copies_to { ";copy-parent-to" } else { "" };
        let mark = if told.is_empty() { "" } else { "?" };
        let to = format!("app:{sid}{option}{mark}{}", told.join("&"));
        Some(Target {
            status_callback: self.call_callback(noun),
            ..Target::new(to)
        })
    }

    /// None, with a warning, of one without a plain name.
    fn told_parameter(&mut self, element: &Element) -> Option<String> {
        self.know(element, &["name", "value"]);
        let name = element.attribute("name").unwrap_or_default();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_plain) {
            let message = format!(
                "Parameter: {name:?} is left out: letters, digits, `-`, `_`, `.` make a name"
            );
            self.warn(NOT_IN_SCHEMA, message);
            return None;
        }
        let value = element.attribute("value").unwrap_or_default();
        Some(format!("Param_{name}={}", escaped(value)))
    }
}

#[cfg(test)]
mod tests {
    use jackfield_guest::{CallTurn, Dial as Whom, HttpMethod, StatusCallback};

    use super::super::dial::tests::{dial, usual};
    use super::super::tests::{check, check_ignored};
    use super::*;

    #[test]
    fn an_application_is_dialled_by_its_sid() {
        for noun in [
            "<Application>AP1</Application>",
            "<Application><ApplicationSid> AP1 </ApplicationSid></Application>",
            "<Application copyParentTo='false'>AP1</Application>",
        ] {
            let expected = dial(usual(Whom::to("app:AP1")));
            check(&format!("<Dial>{noun}</Dial>"), expected, &[]);
        }
        let told = StatusCallback {
            url: "/s".to_owned(),
            method: HttpMethod::Post,
        };
        let to = "app:AP1;copy-parent-to?customerId=a%20b&Param_ward=7%20%26%208&Param_x=";
        let target = Target::new(to).status_callback(told, [CallTurn::Completed]);
        check(
            "<Dial><Application customerId='a b' copyParentTo='true' statusCallback='/s'><ApplicationSid>AP1</ApplicationSid>\
             <Parameter name='ward' value='7 &amp; 8'/><Parameter name='x'/></Application></Dial>",
            dial(usual(Whom::to(target))),
            &[],
        );
    }

    #[test]
    fn what_an_application_cannot_have_is_left_out() {
        let long = "c".repeat(LONGEST_CUSTOMER + 1);
        check(
            &format!(
                "<Dial><Application url='/w' customerId='{long}' copyParentTo='yes'><Say/><Parameter name='a b' value='1'/>AP1</Application></Dial>"
            ),
            dial(usual(Whom::to("app:AP1"))),
            &[
                "12200 Application: the attribute url is unknown",
                "12200 Application: invalid copyParentTo \"yes\": the default is used",
                &format!("12200 Application: invalid customerId {long:?}: the default is used"),
                "12200 <Say> in <Application> is ignored",
                "12200 Parameter: \"a b\" is left out: letters, digits, `-`, `_`, `.` make a name",
            ],
        );
        check_ignored(
            "<Dial><Application/></Dial>",
            &[
                "12200 Application: there is no ApplicationSid in it",
                "13215 Dial: there is nobody in it",
            ],
        );
    }
}
