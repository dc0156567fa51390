//! What a call does: the same keys wherever they stand.

use call::AccountSid;
use toml::Spanned;

use super::super::TenantsError;
use super::super::file::FlowTable;
use super::Check;
use crate::{Flow, WebhookMethod};

impl Check<'_> {
    pub(super) fn flow(
        &self,
        flow: Spanned<FlowTable>,
        account: AccountSid,
    ) -> Result<Flow, TenantsError> {
        let place = Spanned::new(flow.span(), ());
        let FlowTable {
            flow,
            voice_url,
            voice_method,
            twiml,
        } = flow.into_inner();
        if let (None, Some(method)) = (&voice_url, &voice_method) {
            return Err(self.error(
                method,
                "`voice_method` belongs to a `voice_url`, and there is none: remove it",
            ));
        }
        match (flow, voice_url, twiml) {
            (Some(name), None, None) => self.component_flow(&name, account),
            (None, Some(url), None) => Ok(Flow::VoiceUrl {
                url: self.web_url("voice_url", &url)?,
                method: voice_method.map_or(Ok(WebhookMethod::default()), |method| {
                    self.webhook_method("voice_method", &method)
                })?,
            }),
            (None, None, Some(twiml)) => Ok(Flow::Twiml(twiml.into_inner())),
            _ => Err(self.error(
                &place,
                "give exactly one of `flow`, `voice_url` and `twiml`: it says what a call does",
            )),
        }
    }

    fn component_flow(
        &self,
        name: &Spanned<String>,
        account: AccountSid,
    ) -> Result<Flow, TenantsError> {
        let bundled = self.surroundings.bundled;
        let key = (account, name.get_ref().clone());
        if bundled.contains(&key.1.as_str())
            || self.components.contains(&key)
            || self.is_uploaded(account, &key.1)
        {
            return Ok(Flow::Component(key.1));
        }
        Err(self.error(
            name,
            format_args!(
                "no flow `{}`: add a [[component]] of that name, upload one, or use a bundled one ({})",
                key.1,
                bundled.join(", ")
            ),
        ))
    }

    fn is_uploaded(&self, account: AccountSid, name: &str) -> bool {
        let mut accounts = self.accounts.iter();
        accounts
            .find(|(.., sid)| *sid == account)
            .is_some_and(|(carrier, ..)| (self.surroundings.uploaded)(carrier, account, name))
    }

    pub(super) fn web_url(&self, key: &str, url: &Spanned<String>) -> Result<String, TenantsError> {
        let text = url.get_ref();
        let rest = text
            .strip_prefix("http://")
            .or_else(|| text.strip_prefix("https://"));
        let plausible = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
            && !text
                .chars()
                .any(|char| char.is_whitespace() || char.is_control());
        if plausible {
            Ok(text.clone())
        } else {
            Err(self.error(url, format_args!("`{key}` is an http:// or https:// URL")))
        }
    }

    pub(super) fn webhook_method(
        &self,
        key: &str,
        method: &Spanned<String>,
    ) -> Result<WebhookMethod, TenantsError> {
        match method.get_ref().as_str() {
            "GET" => Ok(WebhookMethod::Get),
            "POST" => Ok(WebhookMethod::Post),
            _ => Err(self.error(method, format_args!("`{key}` is \"GET\" or \"POST\""))),
        }
    }
}
