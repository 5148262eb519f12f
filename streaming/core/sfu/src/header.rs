//! The RTP header of one outgoing stream: written once as a template, patched for every packet.

use zhuandi_wire::extensions::{Form, abs_send_time_bytes};
use zhuandi_wire::rtp::{self, Fields, Writer};
use zhuandi_wire::time::Micros;

use crate::api::Extensions;

/// Header bytes with the places that change.
#[derive(Clone, Debug, Default)]
pub struct HeaderTemplate {
    bytes: Vec<u8>,
    abs_send_time: Option<usize>,
    twcc: Option<usize>,
    audio_level: Option<usize>,
}

/// What a template is made of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// `a=mid` of the m-section.
    pub mid: &'a str,
    /// `a=rid` of the encoding.
    pub rid: Option<&'a str>,
    /// It is a repair stream: the rid goes out as repaired rid.
    pub repair: bool,
    /// Packets carry an audio level.
    pub audio_level: bool,
}

impl HeaderTemplate {
    /// The header of stream `ssrc` with every negotiated element that has a value.
    pub fn new(ssrc: u32, ids: &Extensions, names: &Names<'_>) -> HeaderTemplate {
        let rid_id = if names.repair {
            ids.repaired_rid
        } else {
            ids.rid
        };
        let level_id = ids.audio_level.filter(|_| names.audio_level);
        let all = [ids.mid, rid_id, ids.twcc, ids.abs_send_time, level_id];
        let mut template = HeaderTemplate::default();
        let fields = Fields {
            ssrc,
            ..Fields::default()
        };
        let mut writer = Writer::new(
            &mut template.bytes,
            &fields,
            Form::for_ids(all.into_iter().flatten()),
        );
        if let Some(id) = ids.mid.filter(|_| !names.mid.is_empty()) {
            writer.element(id, names.mid.as_bytes());
        }
        if let (Some(id), Some(rid)) = (rid_id, names.rid) {
            writer.element(id, rid.as_bytes());
        }
        let abs_send_time = ids.abs_send_time.and_then(|id| writer.element(id, &[0; 3]));
        let twcc = ids.twcc.and_then(|id| writer.element(id, &[0; 2]));
        let audio_level = level_id.and_then(|id| writer.element(id, &[127]));
        writer.finish();
        HeaderTemplate {
            abs_send_time,
            twcc,
            audio_level,
            ..template
        }
    }

    /// Bytes of the header.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is no header at all.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Packets of this stream carry a transport-wide number.
    pub fn has_twcc(&self) -> bool {
        self.twcc.is_some()
    }

    /// The transport-wide number of a packet with this header.
    pub fn twcc_of(&self, packet: &[u8]) -> Option<u16> {
        let bytes = packet.get(self.twcc?..)?.first_chunk()?;
        Some(u16::from_be_bytes(*bytes))
    }

    /// Append the header of one packet; `fields.ssrc` is the template's own.
    pub fn write(
        &self,
        out: &mut Vec<u8>,
        fields: &Fields,
        now: Micros,
        twcc: u16,
        level: Option<u8>,
    ) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        let Some(packet) = out.get_mut(start..) else {
            return;
        };
        rtp::set_marker_and_pt(packet, fields.marker, fields.pt);
        rtp::set_seq(packet, fields.seq);
        rtp::set_ts(packet, fields.ts);
        if let Some(at) = self.abs_send_time {
            rtp::put(packet, at, &abs_send_time_bytes(now.0));
        }
        if let Some(at) = self.twcc {
            rtp::put(packet, at, &twcc.to_be_bytes());
        }
        if let (Some(at), Some(level)) = (self.audio_level, level) {
            rtp::put(packet, at, &[level]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zhuandi_wire::extensions;

    #[test]
    fn a_header_carries_what_was_negotiated() {
        let ids = Extensions {
            mid: Some(4),
            rid: Some(10),
            repaired_rid: Some(11),
            twcc: Some(3),
            abs_send_time: Some(2),
            audio_level: Some(1),
        };
        let names = Names {
            mid: "2",
            rid: Some("h"),
            repair: false,
            audio_level: true,
        };
        let template = HeaderTemplate::new(77, &ids, &names);
        let mut out = vec![9];
        let fields = Fields {
            marker: true,
            pt: 96,
            seq: 65_535,
            ts: 5,
            ssrc: 77,
        };
        template.write(&mut out, &fields, Micros(1_000_000), 513, Some(30));
        let packet = &out[1..];
        let header = rtp::Header::parse(packet).unwrap();
        assert_eq!((header.fields, header.len), (fields, template.len()));
        assert_eq!(template.twcc_of(packet), Some(513));
        let found: Vec<_> = header
            .extensions(packet)
            .map(|e| (e.id, e.data.to_vec()))
            .collect();
        let second = (1 << 18) as u32;
        assert_eq!(found[0], (4, b"2".to_vec()));
        assert_eq!(found[1], (10, b"h".to_vec()));
        assert_eq!(extensions::abs_send_time(&found[2].1), Some(second));
        assert_eq!(extensions::twcc(&found[3].1), Some(513));
        assert_eq!(found[4], (1, vec![30]));
    }

    #[test]
    fn without_extensions_it_is_twelve_bytes() {
        assert_eq!(
            HeaderTemplate::new(1, &Extensions::default(), &Names::default()).len(),
            12
        );
    }
}
