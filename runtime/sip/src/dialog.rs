//! Dialog state and the requests made within it (RFC 3261 §12).

use bytes::Bytes;

use crate::digest::Access;
use crate::field::Name;
use crate::hop::Way;
use crate::message::Fields;
use crate::routes::RouteSet;
use crate::write::Writer;
use crate::{Hop, Method, NameAddr, Reason, Remains, Request, Response, Uri};

/// What identifies a dialog and routes its requests. All bytes are copies, so no datagram is kept alive by them.
#[derive(Debug)]
pub(crate) struct Dialog {
    call_id: Bytes,
    /// Our address with our tag, as it stands in `From` of our requests.
    local: Bytes,
    /// The peer's address with its tag, as it stands in `To` of our requests.
    remote: Bytes,
    remote_tag: Bytes,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    remote_target: Bytes,
    routes: RouteSet,
    /// Where the peer's last message came from: used when the next hop is a name, for this crate resolves none.
    source: Hop,
    /// Requests go to `source` whatever the next hop is.
    to_source: bool,
    /// Where the peer reaches us.
    us: Hop,
    /// The user name in our `Contact`.
    contact_user: Option<String>,
    /// What our requests prove; nothing in dialogs that the peer began.
    access: Option<Access>,
    /// The INVITE was ours, and so is the Call-ID.
    owns_call_id: bool,
    /// Whether the peer says that it takes UPDATE.
    allows_update: bool,
    /// Our session description as the peer knows it; empty before there is one.
    description: Bytes,
}

/// What an INVITE of ours says that its dialog keeps.
#[derive(Clone, Debug)]
pub(crate) struct OurInvite {
    pub(crate) call_id: Bytes,
    /// `From` with our tag.
    pub(crate) from: Bytes,
    pub(crate) cseq: u32,
    /// Where the peer reaches us.
    pub(crate) us: Hop,
    /// The user name in our `Contact`.
    pub(crate) contact_user: Option<String>,
    /// Requests in the dialog go where the INVITE went.
    pub(crate) to_source: bool,
    /// What requests in the dialog prove.
    pub(crate) access: Option<Access>,
    /// The offer.
    pub(crate) sdp: Bytes,
}

/// A request ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct OutgoingRequest {
    pub(crate) way: Way,
    pub(crate) bytes: Bytes,
}

/// What a request of ours within a dialog says beyond what the dialog knows.
#[derive(Clone, Debug)]
pub(crate) struct Wording {
    pub(crate) method: Method,
    /// More header fields, name and value.
    pub(crate) fields: Vec<(&'static str, Bytes)>,
    pub(crate) content: Option<Content>,
}

/// A body and its type.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) media_type: Bytes,
    pub(crate) body: Bytes,
}

impl Wording {
    /// A request without more fields.
    pub(crate) fn new(method: Method) -> Self {
        Self {
            method,
            fields: Vec::new(),
            content: None,
        }
    }

    /// A request that says why it is sent, where there is a reason.
    pub(crate) fn because(method: Method, cause: Option<&Reason>) -> Self {
        let mut wording = Self::new(method);
        let reason = cause.map(|cause| ("Reason", cause.value().into()));
        wording.fields.extend(reason);
        wording
    }
}

/// What each of our requests needs besides its dialog and wording.
#[derive(Clone, Copy)]
pub(crate) struct RequestParts<'a> {
    pub(crate) cseq: u32,
    pub(crate) branch: &'a [u8],
    pub(crate) user_agent: Option<&'a str>,
}

impl Dialog {
    /// The dialog our 2xx to an INVITE makes (RFC 3261 §12.1.1). Without a `Contact`, which RFC 2543 peers may leave out,
    /// the target is the peer's address.
    pub(crate) fn as_uas(invite: &Request, from: Peer, local_tag: &[u8]) -> Self {
        let mut local = value(invite, Name::To).to_vec();
        local.extend_from_slice(b";tag=");
        local.extend_from_slice(local_tag);
        let target = invite.contact();
        Self {
            call_id: copy(&invite.call_id),
            local: local.into(),
            remote: copy(value(invite, Name::From)),
            remote_tag: copy(invite.from().tag()),
            local_cseq: 0,
            remote_cseq: Some(invite.cseq().number),
            remote_target: copy(target.as_ref().unwrap_or(invite.from().uri()).as_bytes()),
            routes: RouteSet::recorded(invite),
            source: from.source,
            to_source: from.to_source,
            us: from.us,
            contact_user: None,
            access: None,
            owns_call_id: false,
            allows_update: allows_update(invite).unwrap_or_default(),
            description: Bytes::new(),
        }
    }

    /// The dialog a 2xx to our INVITE makes (RFC 3261 §12.1.2). Without a `Contact` the target is the peer's address. What
    /// the response repeats of our own words is not taken from it.
    pub(crate) fn as_uac(ours: &OurInvite, response: &Response, source: Hop) -> Self {
        let target = response.contact();
        let mut access = ours.access.clone();
        if let Some(access) = &mut access {
            access.settled(); // the INVITE was taken
        }
        Self {
            call_id: ours.call_id.clone(),
            local: ours.from.clone(),
            remote: copy(value(response, Name::To)),
            remote_tag: copy(response.to().tag()),
            local_cseq: ours.cseq,
            remote_cseq: None,
            remote_target: copy(target.as_ref().unwrap_or(response.to().uri()).as_bytes()),
            routes: RouteSet::recorded(response).reversed(),
            source,
            to_source: ours.to_source,
            us: ours.us,
            contact_user: ours.contact_user.clone(),
            access,
            owns_call_id: true,
            allows_update: allows_update(response).unwrap_or_default(),
            description: ours.sdp.clone(),
        }
    }

    /// An early dialog of our INVITE, as its 2xx confirms it: the routes are those of the 2xx (RFC 3261 §13.2.2.4).
    pub(crate) fn confirm(&mut self, response: &Response) {
        self.routes = RouteSet::recorded(response).reversed();
        self.retarget(response);
        self.learn(response);
    }

    /// Takes what a message says of the peer's abilities, where it does.
    pub(crate) fn learn(&mut self, message: &Fields) {
        self.allows_update = allows_update(message).unwrap_or(self.allows_update);
    }

    /// Whether the peer says that it takes UPDATE.
    pub(crate) fn allows_update(&self) -> bool {
        self.allows_update
    }

    /// The peer does not take UPDATE, whatever it says.
    pub(crate) fn forbid_update(&mut self) {
        self.allows_update = false;
    }

    /// Whether the INVITE was ours, and so is the Call-ID.
    pub(crate) fn owns_call_id(&self) -> bool {
        self.owns_call_id
    }

    /// Takes a session description of ours that the peer now knows.
    pub(crate) fn describe(&mut self, sdp: Bytes) {
        self.description = sdp;
    }

    /// Our session description as the peer knows it.
    pub(crate) fn description(&self) -> &Bytes {
        &self.description
    }

    /// Whether it is with the peer of this tag.
    pub(crate) fn is_with(&self, remote_tag: &[u8]) -> bool {
        self.remote_tag == remote_tag
    }

    /// The peer's tag.
    pub(crate) fn remote_tag(&self) -> Bytes {
        self.remote_tag.clone()
    }

    /// Whether a request that has our tag belongs here: Call-ID and the peer's tag must be right too.
    pub(crate) fn matches(&self, request: &Request) -> bool {
        self.call_id == request.call_id && self.remote_tag == request.from().tag()
    }

    /// Takes the order of a request of the peer. False for one that is late: older than one already seen (RFC 3261 §12.2.2).
    pub(crate) fn take_cseq(&mut self, number: u32) -> bool {
        let in_order = self.remote_cseq.is_none_or(|seen| number >= seen);
        if in_order {
            self.remote_cseq = Some(number);
        }
        in_order
    }

    /// Takes the target of a request that refreshes it, where it names one (RFC 3261 §12.2.2).
    pub(crate) fn refresh_target(&mut self, request: &Request, source: Hop) {
        if self.retarget(request) {
            self.source = source;
        }
    }

    /// Takes the target a message names. False where it names none.
    pub(crate) fn retarget(&mut self, message: &Fields) -> bool {
        let target = message.contact();
        if let Some(target) = &target {
            self.remote_target = copy(target.as_bytes());
        }
        target.is_some()
    }

    /// Where the peer reaches us.
    pub(crate) fn us(&self) -> Hop {
        self.us
    }

    /// Our address without name and tag, as `Referred-By` has it (RFC 3892 §2.1).
    pub(crate) fn local_uri(&self) -> Option<Bytes> {
        let address = NameAddr::parse(&self.local).ok()?;
        Some([b"<", address.uri().as_bytes(), b">"].concat().into())
    }

    /// The user name in our `Contact`.
    pub(crate) fn contact_user(&self) -> Option<String> {
        self.contact_user.clone()
    }

    /// The number of our next request.
    pub(crate) fn next_cseq(&mut self) -> u32 {
        self.local_cseq += 1;
        self.local_cseq
    }

    /// Takes the final response to a request of ours that went to that hop. True for a challenge that is worth another try.
    pub(crate) fn is_challenged(&mut self, hop: Hop, response: &Response, cnonce: &Bytes) -> bool {
        let Some(access) = &mut self.access else {
            return false;
        };
        if matches!(response.status(), 401 | 407) {
            return access.challenged(hop, response, cnonce);
        }
        access.settled();
        false
    }

    /// A request of ours was taken.
    pub(crate) fn settle(&mut self) {
        if let Some(access) = &mut self.access {
            access.settled();
        }
    }

    /// The number of our last request.
    pub(crate) fn local_cseq(&self) -> u32 {
        self.local_cseq
    }

    /// Writes a request within the dialog (RFC 3261 §12.2.1.1).
    pub(crate) fn request(
        &mut self,
        wording: &Wording,
        parts: RequestParts<'_>,
    ) -> OutgoingRequest {
        let way = self.way(self.next_hop());
        let method = wording.method.as_bytes();
        let request_uri = self.routes.request_uri(&self.remote_target);
        let mut writer = Writer::request(method, request_uri);
        writer.via(self.us, parts.branch);
        self.routes.write(&mut writer, &self.remote_target);
        writer.header("Max-Forwards", b"70");
        writer.header("From", &self.local);
        writer.header("To", &self.remote);
        writer.header("Call-ID", &self.call_id);
        writer.header_of("CSeq", &[parts.cseq.to_string().as_bytes(), b" ", method]);
        if let Some(user_agent) = parts.user_agent {
            writer.header("User-Agent", user_agent.as_bytes());
        }
        if matches!(
            wording.method,
            Method::Invite | Method::Update | Method::Refer | Method::Notify
        ) {
            let contact = self.us.contact(self.contact_user.as_deref());
            writer.header_of("Contact", &[b"<", contact.as_bytes(), b">"]);
        }
        for (name, value) in &wording.fields {
            writer.header(name, value);
        }
        // An ACK repeats what its INVITE proved: its sender words it so (RFC 3261 §22.1).
        if let Some(access) = self
            .access
            .as_mut()
            .filter(|_| wording.method != Method::Ack)
        {
            let body = wording
                .content
                .as_ref()
                .map_or(&b""[..], |content| &content.body);
            for (name, value) in access.fields(way.to, method, request_uri, body) {
                writer.header(name.as_str(), &value);
            }
        }
        OutgoingRequest {
            way,
            bytes: match &wording.content {
                Some(content) => writer.finish_with(&content.media_type, &content.body),
                None => writer.finish(),
            },
        }
    }

    /// What ends it when this endpoint is gone. None where the peer writes addresses that are no text.
    pub(crate) fn remains(&self) -> Option<Remains> {
        let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).ok();
        let way = self.way(self.next_hop());
        Some(Remains {
            call_id: text(&self.call_id)?,
            from: text(&self.local)?,
            to: text(&self.remote)?,
            target: text(&self.remote_target)?,
            routes: self
                .routes
                .values()
                .iter()
                .map(text)
                .collect::<Option<_>>()?,
            cseq: self.local_cseq,
            proved_to: self
                .access
                .iter()
                .flat_map(|access| access.hosts().iter().copied())
                .collect(),
            hops: [Some(way.to), way.otherwise]
                .into_iter()
                .flatten()
                .collect(),
        })
    }

    fn next_hop(&self) -> Option<Hop> {
        match self.routes.first() {
            Some(route) => self.hop(route),
            None => Uri::parse(&self.remote_target)
                .ok()
                .and_then(|uri| self.hop(&uri)),
        }
    }

    /// Where a URI leads; none when that is a name. One that names no transport keeps the dialog's.
    fn hop(&self, uri: &Uri) -> Option<Hop> {
        let transport = uri.transport().unwrap_or(self.source.transport);
        uri.socket_address_over(transport)
            .map(|address| Hop::new(transport, address))
    }

    /// The way to the next hop. A connection that the peer speaks over is kept, whichever port its `Contact` or its proxy's
    /// `Record-Route` names: many a peer behind a NAT can be reached in no other way (RFC 5923 §5 for its address). What began
    /// secure stays so: a description may have keys in it.
    fn way(&self, next_hop: Option<Hop>) -> Way {
        let Some(next_hop) = next_hop.filter(|_| !self.to_source) else {
            return self.source.into();
        };
        if self.source.transport.is_secure() && !next_hop.transport.is_secure() {
            return self.source.into();
        }
        let is_connected = self.source.transport.is_reliable()
            && self.source.transport == next_hop.transport
            && self.source.address.ip() == next_hop.address.ip();
        if is_connected {
            Way {
                to: self.source,
                otherwise: Some(next_hop.of(self.source.server)),
            }
        } else {
            next_hop.into()
        }
    }
}

/// The other side of a dialog that it began.
#[derive(Clone, Copy)]
pub(crate) struct Peer {
    /// Where its INVITE came from.
    pub(crate) source: Hop,
    /// Requests go to `source` whatever the next hop is.
    pub(crate) to_source: bool,
    /// Where it reaches us.
    pub(crate) us: Hop,
}

/// Whether `Allow` lists UPDATE; none where there is no `Allow`.
fn allows_update(message: &Fields) -> Option<bool> {
    let mut methods = message.head.items(Name::Allow).peekable();
    methods.peek()?;
    Some(methods.any(|method| method == b"UPDATE"))
}

fn value(fields: &Fields, name: Name) -> &[u8] {
    fields.head.values(name).next().unwrap_or_default()
}

fn copy(bytes: impl AsRef<[u8]>) -> Bytes {
    Bytes::copy_from_slice(bytes.as_ref())
}

#[cfg(test)]
mod tests;
