//! Received RTP: decrypt, find the publication, unwrap repairs, read the descriptor.

use zhuandi_wire::extensions;
use zhuandi_wire::rtp::Header;
use zhuandi_wire::rtx;
use zhuandi_wire::time::Micros;

use super::Engine;
use super::association::{Association, Route};
use crate::api::{Codec, Extensions, Path};
use crate::drop_reason::DropReason;
use crate::packet::{Incoming, Meta};
use crate::publication::{Payload, Publication};
use crate::slab::Slab;

/// Values of the header extensions that we read from every packet.
#[derive(Clone, Copy, Debug, Default)]
struct Elements {
    twcc: Option<u16>,
    audio_level: Option<u8>,
}

impl Engine {
    pub(super) fn handle_rtp(
        &mut self,
        now: Micros,
        index: u32,
        path: Path,
        datagram: &mut [u8],
    ) -> Result<(), DropReason> {
        let association = self
            .associations
            .get_mut(index)
            .ok_or(DropReason::UnknownPath)?;
        let plain = association.transport.unprotect_rtp(now, path, datagram)?;
        association.counters.rx_packets += 1;
        association.counters.rx_bytes += datagram.len() as u64;
        let packet = datagram
            .get_mut(..plain.len)
            .ok_or(DropReason::RtpMalformed)?;
        let header = Header::parse(packet).map_err(|_| DropReason::RtpMalformed)?;
        let elements = read_elements(association, &header, packet);
        let ssrc = header.fields.ssrc;
        let timer = elements
            .twcc
            .is_some_and(|number| association.twcc.arrived(now, number, ssrc));
        let route = match association.route(ssrc) {
            Some(route) => route,
            None => bind(association, &mut self.publications, &header, packet)?,
        };
        if timer {
            self.arm(now, index);
        }
        self.pass_the_door(now, route, &header)?;
        self.take_media(now, route, header, packet, elements.audio_level)
    }

    fn take_media(
        &mut self,
        now: Micros,
        route: Route,
        header: Header,
        packet: &mut [u8],
        audio_level: Option<u8>,
    ) -> Result<(), DropReason> {
        let publication = self
            .publications
            .get(route.publication)
            .ok_or(DropReason::UnknownSsrc)?;
        let (packet, header, repaired) = match publication.payload(header.fields.pt)? {
            Payload::Media(_) => (packet, header, false),
            Payload::Repair(apt) => {
                let media = publication
                    .encoding(route.encoding)
                    .and_then(|encoding| encoding.params.ssrc);
                let media = media.ok_or(DropReason::UnknownSsrc)?;
                let original =
                    rtx::restore(packet, &header, apt, media).map_err(|_| DropReason::RtxEmpty)?;
                (
                    packet.get_mut(rtx::OSN_LEN..).unwrap_or_default(),
                    original,
                    true,
                )
            }
        };
        let Payload::Media(codec) = publication.payload(header.fields.pt)? else {
            return Err(DropReason::UnknownPayloadType);
        };
        let range = header
            .payload(packet)
            .map_err(|_| DropReason::RtpMalformed)?;
        let payload = packet.get(range).ok_or(DropReason::RtpMalformed)?;
        if repaired && payload.is_empty() {
            return Err(DropReason::RtxEmpty);
        }
        let mut meta = Meta::parse(codec, payload)?;
        let fields = header.fields;
        (meta.pt, meta.ts, meta.marker, meta.audio_level) =
            (fields.pt, fields.ts, fields.marker, audio_level);
        let incoming = Incoming {
            encoding: route.encoding,
            seq: fields.seq,
            repaired,
            meta,
        };
        if codec == Codec::Red {
            return self.take_redundant(now, route.publication, incoming, payload);
        }
        self.ingest(now, route.publication, incoming, payload)
    }
}

fn read_elements(association: &Association, header: &Header, packet: &[u8]) -> Elements {
    let ids = &association.extensions;
    let mut found = Elements::default();
    for element in header.extensions(packet) {
        if Some(element.id) == ids.twcc {
            found.twcc = extensions::twcc(element.data);
        } else if Some(element.id) == ids.audio_level {
            found.audio_level = element.data.first().copied();
        }
    }
    found
}

/// What a packet says about whose it is (RFC 8852, RFC 9143).
#[derive(Default)]
struct Names<'a> {
    mid: Option<&'a str>,
    rid: Option<&'a str>,
    repaired_rid: Option<&'a str>,
}

fn read_names<'a>(ids: &Extensions, header: &Header, packet: &'a [u8]) -> Names<'a> {
    let mut names = Names::default();
    for element in header.extensions(packet) {
        let text = || extensions::text(element.data);
        match Some(element.id) {
            id if id == ids.mid => names.mid = text(),
            id if id == ids.rid => names.rid = text(),
            id if id == ids.repaired_rid => names.repaired_rid = text(),
            _ => {}
        }
    }
    names
}

/// An SSRC that is seen for the first time: by mid and rid, else by payload type (RFC 8843 9.2).
fn bind(
    association: &mut Association,
    publications: &mut Slab<Publication>,
    header: &Header,
    packet: &[u8],
) -> Result<Route, DropReason> {
    let Names {
        mid,
        rid,
        repaired_rid,
    } = read_names(&association.extensions, header, packet);
    let pt = header.fields.pt;
    let fits = |index: &&u32| {
        publications
            .get(**index)
            .is_some_and(|publication| match mid {
                Some(mid) => publication.comes_on(mid),
                None => publication.payload(pt).is_ok(),
            })
    };
    let mut candidates = association.publications.iter().filter(fits);
    let found = candidates.next().copied().ok_or(DropReason::UnknownSsrc)?;
    if mid.is_none() && candidates.next().is_some() {
        return Err(DropReason::UnknownSsrc);
    }
    let publication = publications.get_mut(found).ok_or(DropReason::UnknownSsrc)?;
    let repair = matches!(publication.payload(pt)?, Payload::Repair(_));
    let name = if repair { repaired_rid.or(rid) } else { rid };
    let encoding = publication
        .encoding_of(mid, name)
        .ok_or(DropReason::UnknownSsrc)?;
    let ssrc = header.fields.ssrc;
    let route = Route {
        ssrc,
        publication: found,
        encoding,
        repair,
        declared: false,
    };
    if !association.bind(route) {
        return Err(DropReason::UnknownSsrc);
    }
    let target = publication
        .encoding_mut(encoding)
        .ok_or(DropReason::UnknownSsrc)?;
    if repair {
        target.params.rtx_ssrc = Some(ssrc);
    } else {
        if target.params.ssrc.is_some_and(|before| before != ssrc) {
            target.expect_restart();
        }
        target.params.ssrc = Some(ssrc);
    }
    Ok(route)
}
