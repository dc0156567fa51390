//! Results as JUnit's XML, which build servers read.

use std::io;

use quick_xml::Writer;
use quick_xml::events::BytesText;

use super::{Played, Suite};

/// One `testsuite` for each file, one `testcase` for each case; times are those of the calls.
pub(super) fn report(suites: &[Suite]) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer
        .create_element("testsuites")
        .write_inner_content(|writer| {
            suites
                .iter()
                .try_for_each(|suite| write_suite(writer, suite))
        })?;
    Ok(writer.into_inner())
}

fn write_suite(writer: &mut Writer<Vec<u8>>, suite: &Suite) -> io::Result<()> {
    let stem = suite.file.file_stem().unwrap_or_default();
    let name = stem.to_string_lossy();
    let failures = suite.cases.iter().filter(|case| case.trouble.is_some());
    writer
        .create_element("testsuite")
        .with_attribute(("name", &*name))
        .with_attribute(("tests", &*suite.cases.len().to_string()))
        .with_attribute(("failures", &*failures.count().to_string()))
        .write_inner_content(|writer| {
            let mut cases = suite.cases.iter();
            cases.try_for_each(|case| write_case(writer, &name, case))
        })
        .map(drop)
}

fn write_case(writer: &mut Writer<Vec<u8>>, suite: &str, case: &Played) -> io::Result<()> {
    let time = format!("{:.3}", case.duration.as_secs_f64());
    let element = writer
        .create_element("testcase")
        .with_attribute(("name", &*case.name))
        .with_attribute(("classname", suite))
        .with_attribute(("time", &*time));
    let Some(trouble) = &case.trouble else {
        return element.write_empty().map(drop);
    };
    element
        .write_inner_content(|writer| {
            writer
                .create_element("failure")
                .with_attribute(("message", &**trouble))
                .write_text_content(BytesText::new(&case.transcript))
                .map(drop)
        })
        .map(drop)
}
