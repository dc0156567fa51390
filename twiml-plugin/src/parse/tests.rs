use super::*;

fn element(name: &str, attributes: &[(&str, &str)], children: Vec<Node>) -> Element {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Element {
        name: name.to_owned(),
        attributes: attributes.iter().map(owned).collect(),
        children,
    }
}

#[track_caller]
fn check_text(document: impl AsRef<[u8]>, expected: &str) {
    let root = parse(document.as_ref()).unwrap();
    assert_eq!(root, Element::of_text("R", expected));
}

#[track_caller]
fn check_fault(document: impl AsRef<[u8]>, code: u16, message: &str) {
    let fault = parse(document.as_ref()).unwrap_err();
    assert_eq!(fault.code, code, "{fault}");
    assert!(fault.to_string().contains(message), "{fault}");
}

#[test]
fn elements_nest_with_attributes_and_text() {
    let document = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R a='1' b=\"x &amp; y\">\n  <Say>Hi</Say><Play/></R>\n";
    let expected = element(
        "R",
        &[("a", "1"), ("b", "x & y")],
        vec![
            Node::Text("\n  ".to_owned()),
            Node::Element(Element::of_text("Say", "Hi")),
            Node::Element(element("Play", &[], Vec::new())),
        ],
    );
    assert_eq!(parse(document.as_bytes()).unwrap(), expected);
}

#[test]
fn text_is_what_was_meant() {
    check_text("<R>Fish &amp; chips</R>", "Fish & chips");
    check_text(
        "<R>&lt;b&gt; &quot;x&quot; &apos;y&apos;</R>",
        "<b> \"x\" 'y'",
    );
    check_text("<R>caf&#233; &#x1F600;</R>", "café 😀");
    check_text("<R><![CDATA[a < b && c]]></R>", "a < b && c");
    check_text("<R>a<![CDATA[ & ]]>b</R>", "a & b");
    check_text("<R>a<!-- <Say>no</Say> -->b</R>", "ab");
    check_text("<R>a<?php echo 1 ?>b</R>", "ab");
    check_text("<!-- before --><R>x</R><!-- after -->", "x");
    check_text("\n\n<R>x</R>", "x");
    check_text("<R>line\r\nline</R>", "line\nline");
    check_text("\u{feff}<R>x</R>", "x");
    check_text("\u{feff}<?xml version=\"1.0\"?><R>x</R>", "x");
    check_text("<?xml version='1.1'?><R>x</R>", "x");
    check_text("<R>សួស្តី</R>", "សួស្តី");
    check_text(
        b"<?xml version='1.0' encoding='ISO-8859-1'?><R>caf\xe9</R>",
        "café",
    );
}

#[test]
fn what_is_no_document_is_refused() {
    check_fault("", EMPTY, "the document is empty");
    check_fault(" \r\n\t", EMPTY, "the document is empty");
    check_fault("\u{feff}", EMPTY, "the document is empty");
    check_fault("Hello", NOT_XML, "text outside");
    check_fault("{\"a\":1}", NOT_XML, "text outside");
    check_fault("<R>", NOT_XML, "<R> is not closed");
    check_fault("<R><Say>x</R>", NOT_XML, "");
    check_fault("</R>", NOT_XML, "");
    check_fault("<R></r>", NOT_XML, "");
    check_fault("<R/><R/>", NOT_XML, "a second root element");
    check_fault("<R/>x", NOT_XML, "text outside");
    check_fault("<!-- only -->", NOT_XML, "there is no element");
    check_fault("<R a=1/>", NOT_XML, "");
    check_fault("<R a='1' a='2'/>", NOT_XML, "duplicate");
    check_fault("<R>a & b</R>", NOT_XML, "");
    check_fault(
        "<R>&nbsp;</R>",
        NOT_XML,
        "the entity &nbsp; is not declared",
    );
    check_fault("<R a='&nbsp;'/>", NOT_XML, "");
    check_fault("<R>&#0;</R>", NOT_XML, "");
    check_fault("<R>&#8;</R>", NOT_XML, "is not a character of XML");
    check_fault("<R>&#xD800;</R>", NOT_XML, "");
    check_fault("<?xml version='2.0'?><R/>", WRONG_XML_VERSION, "\"2.0\"");
    check_fault(b"\xff\xfe<\0R\0/\0>\0", NOT_XML, "UTF-16");
    check_fault("<R><![CDATA[x</R>", NOT_XML, "");
    check_fault("<R><!-- x</R>", NOT_XML, "");
}

#[test]
fn a_fault_names_its_line() {
    check_fault(
        "<R>\n<Say>\n&x;</Say></R>",
        NOT_XML,
        "12100 line 3: the entity &x;",
    );
}

#[test]
fn a_doctype_is_refused_with_all_its_entities() {
    check_fault("<!DOCTYPE html><html/>", NOT_XML, "DOCTYPE");
    let laughs = "<!DOCTYPE R [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;'>]><R>&b;</R>";
    check_fault(laughs, NOT_XML, "DOCTYPE");
    let file = "<!DOCTYPE R [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><R>&f;</R>";
    check_fault(file, NOT_XML, "DOCTYPE");
}

#[test]
fn size_depth_and_count_are_bounded() {
    let padded = |size: usize| format!("<R>{}</R>", "x".repeat(size - "<R></R>".len()));
    assert!(parse(padded(MOST_BYTES).as_bytes()).is_ok());
    check_fault(padded(MOST_BYTES + 1), TOO_LARGE, "65537 bytes");

    let deep = |levels: usize| "<R>".repeat(levels) + &"</R>".repeat(levels);
    assert!(parse(deep(MOST_LEVELS).as_bytes()).is_ok());
    check_fault(deep(MOST_LEVELS + 1), NOT_XML, "more than 32 levels");
    check_fault("<R>".repeat(20_000), NOT_XML, "more than 32 levels");

    let wide = |nodes: usize| format!("<R>{}</R>", "<a/>".repeat(nodes - 1));
    assert!(parse(wide(MOST_NODES).as_bytes()).is_ok());
    check_fault(wide(MOST_NODES + 1), NOT_XML, "more than 5000");
    let mixed = format!("<R>{}</R>", "x<a/>".repeat(MOST_NODES / 2));
    check_fault(mixed, NOT_XML, "more than 5000");
}
