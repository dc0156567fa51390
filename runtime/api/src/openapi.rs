//! `OpenAPI` 3.1 documents of what can be asked.

use serde_json::{Map, Value, json};

/// One thing that can be asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation<'a> {
    /// In lower case.
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) summary: &'a str,
    /// Names of what the query may have.
    pub(crate) query: &'a [&'a str],
    /// What the body is; none where there is none.
    pub(crate) body: Option<&'a str>,
    /// It may be left out.
    pub(crate) is_body_optional: bool,
    /// Of that body.
    pub(crate) media_type: &'a str,
    /// The status of the answer where all is well.
    pub(crate) status: u16,
}

/// Puts an operation among the paths. `unknown`: what 401 says.
pub(crate) fn put(paths: &mut Map<String, Value>, operation: Operation<'_>, unknown: &str) {
    let path = operation.path.to_owned();
    let entry = paths.entry(path).or_insert_with(|| json!({}));
    entry[operation.method] = shown(operation, unknown);
}

fn shown(operation: Operation<'_>, unknown: &str) -> Value {
    let query = operation
        .query
        .iter()
        .map(|name| json!({ "name": name, "in": "query", "schema": { "type": "string" } }));
    let braces = operation.path.split('{').skip(1);
    let names = braces.filter_map(|rest| Some(rest.split_once('}')?.0));
    let path = names.map(
        |name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }),
    );
    let mut shown = json!({
        "summary": operation.summary,
        "parameters": path.chain(query).collect::<Vec<_>>(),
        "responses": {
            operation.status.to_string(): { "description": "Done." },
            "401": { "description": unknown },
            "429": { "description": "Too many wrong credentials from there, or too much at once." },
        },
    });
    if let Some(body) = operation.body {
        shown["requestBody"] = json!({
            "description": body,
            "required": !operation.is_body_optional,
            "content": { operation.media_type: { "schema": {} } },
        });
    }
    shown
}
