//! Messages of a wanted size that are made to cost a reader much.

/// The longest datagram there is over IPv4.
pub(crate) const LARGEST: usize = 65_507;

/// The longest head that is read.
const LARGEST_HEAD: usize = 60 << 10;

/// One way to fill a message.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// What stands in front of the filling; the mandatory fields it names itself are left out.
    before: &'static str,
    /// The filling, again and again.
    unit: &'static str,
    after: &'static str,
    /// Whether it is a message at any size.
    pub(crate) is_valid: bool,
    /// Whether the filling is a body and may be as long as a datagram.
    is_body: bool,
}

const fn shape(
    name: &'static str,
    before: &'static str,
    unit: &'static str,
    after: &'static str,
    is_valid: bool,
) -> Shape {
    Shape {
        name,
        before,
        unit,
        after,
        is_valid,
        is_body: false,
    }
}

/// The mandatory header fields.
const FIELDS: [&str; 6] = [
    "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n",
    "From: <sip:a@b>;tag=1\r\n",
    "To: <sip:c@d>\r\n",
    "Call-ID: x\r\n",
    "CSeq: 1 INVITE\r\n",
    "Contact: <sip:a@b>\r\n",
];

pub(crate) const ALL: &[Shape] = &[
    shape("one value", "Subject: ", "x", "\r\n", true),
    shape("one name", "X", "x", ": y\r\n", true),
    shape(
        "a list of nothing",
        "Contact: <sip:a@b>",
        ",",
        "\r\n",
        false,
    ),
    shape(
        "a list of contacts",
        "Contact: <sip:a@b>",
        ",<sip:a@b>",
        "\r\n",
        true,
    ),
    shape(
        "contacts with names",
        "Contact: <sip:a@b>",
        ",\"a, b\" <sip:a@b>;q=0.5",
        "\r\n",
        true,
    ),
    shape(
        "commas in brackets",
        "Contact: <sip:a",
        ",",
        "@b>\r\n",
        true,
    ),
    shape("brackets", "Contact: ", "<", "\r\n", false),
    shape(
        "a list of quotes that open",
        "Contact: \"",
        ",\\\"",
        "\r\n",
        false,
    ),
    shape("folded lines", "Subject: x", "\r\n ", "\r\n", true),
    shape(
        "folded lines of text",
        "Subject: x",
        "\r\n\ttext",
        "\r\n",
        true,
    ),
    shape("a folded To", "To: <sip:c@d>", "\r\n ;x", "\r\n", true),
    shape("blanks behind", "Subject: x", " ", "\r\n", true),
    shape(
        "blanks in front of the colon",
        "Subject",
        " ",
        ": x\r\n",
        true,
    ),
    shape("blanks in From", "From: ", " ", "<sip:a@b>;tag=1\r\n", true),
    shape(
        "parameters of From",
        "From: <sip:a@b>;tag=1",
        ";x=y",
        "\r\n",
        true,
    ),
    shape(
        "empty parameters of From",
        "From: <sip:a@b>;tag=1",
        ";",
        "\r\n",
        false,
    ),
    shape("tags of From", "From: <sip:a@b>", ";tag=1", "\r\n", true),
    shape(
        "quoted parameters of To",
        "To: <sip:c@d>",
        ";x=\"y\\\";\"",
        "\r\n",
        true,
    ),
    shape(
        "a name in From",
        "From: \"",
        "\\\"",
        "\" <sip:a@b>;tag=1\r\n",
        true,
    ),
    shape(
        "an open name in From",
        "From: \"",
        "\\\"",
        " <sip:a@b>;tag=1\r\n",
        false,
    ),
    shape(
        "quotes in quotes in From",
        "From: ",
        "\"<\" ",
        "<sip:a@b>;tag=1\r\n",
        false,
    ),
    shape(
        "a user in From",
        "From: <sip:",
        "%41",
        "@b>;tag=1\r\n",
        true,
    ),
    shape("colons in From", "From: <sip:", ":", "@b>;tag=1\r\n", true),
    shape(
        "a host in From",
        "From: <sip:a@b",
        ".b",
        ">;tag=1\r\n",
        true,
    ),
    shape(
        "an IPv6 host in From",
        "From: <sip:a@[",
        "::",
        "]>;tag=1\r\n",
        true,
    ),
    shape(
        "a port in From",
        "From: <sip:a@b:",
        "0",
        "1>;tag=1\r\n",
        true,
    ),
    shape("parameters of a URI", "To: <sip:c@d", ";x=y", ">\r\n", true),
    shape(
        "headers of a URI",
        "To: <sip:c@d?a=b",
        "&a=b",
        ">\r\n",
        true,
    ),
    shape(
        "a list of Vias",
        "Via: SIP/2.0/UDP h;branch=z9hG4bK1",
        ",SIP/2.0/UDP h",
        "\r\n",
        true,
    ),
    shape(
        "parameters of Via",
        "Via: SIP/2.0/UDP h;branch=z9hG4bK1",
        ";x",
        "\r\n",
        true,
    ),
    shape(
        "slashes in Via",
        "Via: SIP/2.0/UDP h;branch=z9hG4bK1",
        "/",
        "\r\n",
        true,
    ),
    shape("a Call-ID", "Call-ID: ", "x", "\r\n", true),
    shape("a number in CSeq", "CSeq: ", "0", "1 INVITE\r\n", true),
    shape("a method in CSeq", "CSeq: 1 INVITE", "X", "\r\n", false),
    shape("128 fields", "X: y\r\n", "", "", true),
    Shape {
        is_body: true,
        ..shape("a body", "\r\n", "\r\n\r\n", "", true)
    },
];

impl Shape {
    /// Whether the filling folds a line.
    #[allow(
        dead_code,
        reason = "one of the two tests that fill messages does not ask"
    )]
    pub(crate) fn is_folded(&self) -> bool {
        self.unit.starts_with("\r\n") && !self.is_body
    }

    /// A message of about `size` bytes, never more.
    pub(crate) fn message(&self, size: usize) -> Vec<u8> {
        let fields: String = FIELDS
            .iter()
            .filter(|field| !self.before.starts_with(&field[..=field.find(':').unwrap()]))
            .copied()
            .collect();
        let start = format!("INVITE sip:c@d SIP/2.0\r\n{fields}");
        let size = if self.is_body {
            size
        } else {
            size.min(LARGEST_HEAD)
        };
        let end = if self.is_body { "" } else { "\r\n" };
        let filling = if self.unit.is_empty() {
            many_fields(size - start.len() - end.len())
        } else {
            let room = size - start.len() - self.before.len() - self.after.len() - end.len();
            let unit = self.unit.repeat(room / self.unit.len());
            [self.before, &unit, self.after].concat()
        };
        [&start, &*filling, end].concat().into_bytes()
    }
}

/// As many fields as a message may have, of equal length.
fn many_fields(room: usize) -> String {
    let count = 128 - FIELDS.len();
    let value = "y".repeat(room / count - "X: \r\n".len());
    format!("X: {value}\r\n").repeat(count)
}
