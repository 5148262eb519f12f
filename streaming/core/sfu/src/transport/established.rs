//! An association that is up from its first moment: one path, keys that both sides were given.
//!
//! For simulated ends in virtual time: the packets, their sizes and their encryption are those of a real association;
//! only the handshake and the checks are left out.

use std::sync::Arc;

use zhuandi_wire::time::Micros;

use super::srtp::Srtp;
use super::{Certificate, Epoch, State, Transport, TransportEvent, TransportParams};
use crate::api::{DtlsRole, IceCredentials, Path, Role, SrtpProfile, Stills};
use crate::drop_reason::DropReason;

/// Key and salt of both directions for AEAD_AES_128_GCM (RFC 7714 12.1, in the order of RFC 5764 4.2).
pub const KEYING_BYTES: usize = 2 * (16 + 12);
/// First byte of an application data record, bytes before its content and after it (RFC 6347 4.1, RFC 5288 3).
const APPLICATION_DATA: u8 = 23;
const RECORD_HEAD: usize = 13 + 8;
const RECORD_TAG: usize = 16;

impl Transport {
    /// An association on `path` with these keys; `is_client`: the side that would have sent the ClientHello.
    /// The error is a bad argument in words.
    pub fn established(
        now: Micros,
        path: Path,
        keying: &[u8; KEYING_BYTES],
        is_client: bool,
        certificate: Arc<Certificate>,
        epoch: Epoch,
    ) -> Result<Self, String> {
        let profile = SrtpProfile::AeadAes128Gcm;
        let srtp = Srtp::from_keying_material(profile, keying, is_client)
            .ok_or("the keys do not fit the profile")?;
        let params = unused(&certificate, is_client, profile);
        let mut transport = Transport::new(now, params, certificate, epoch, None)?;
        transport.srtp = Some(Box::new(srtp));
        transport.bare = true;
        transport.state = State::Connected;
        transport.open_path(now, path);
        transport.paths.select(path);
        transport.tell(TransportEvent::Connected(path));
        Ok(transport)
    }
}

impl Transport {
    /// A packet of the data channel in a record that is as long as DTLS makes it, and in the clear.
    pub(super) fn send_bare(&mut self, packet: &[u8]) {
        let Some(path) = self.paths.selected() else {
            return;
        };
        let mut record = vec![0; RECORD_HEAD];
        record.splice(..1, [APPLICATION_DATA]);
        record.extend_from_slice(packet);
        record.resize(record.len() + RECORD_TAG, 0);
        self.send(path, record);
    }

    /// The packet in such a record.
    pub(super) fn take_bare(
        &mut self,
        now: Micros,
        path: &Path,
        record: &[u8],
    ) -> Result<(), DropReason> {
        let end = record.len().saturating_sub(RECORD_TAG);
        let packet = record.get(RECORD_HEAD..end);
        let packet = packet.ok_or(DropReason::DtlsUnexpected)?.to_vec();
        self.authenticated(now, path);
        if self.data.len() < super::MAX_WAITING {
            self.data.push_back(packet);
        }
        Ok(())
    }
}

/// Parameters of a handshake that never happens.
fn unused(certificate: &Certificate, is_client: bool, profile: SrtpProfile) -> TransportParams {
    let nobody = IceCredentials {
        ufrag: String::new(),
        pwd: String::new(),
    };
    TransportParams {
        role: Role::Server,
        local_ice: nobody.clone(),
        remote_ice: nobody,
        fingerprint: certificate.fingerprint(),
        dtls: match is_client {
            true => DtlsRole::Active,
            false => DtlsRole::Passive,
        },
        profiles: vec![profile],
        candidates: Vec::new(),
        stills: Stills::None,
    }
}
