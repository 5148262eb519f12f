//! An association that is up from its first moment: one path, keys that both sides were given.
//!
//! For simulated ends in virtual time: the packets, their sizes and their encryption are those of a real association;
//! only the handshake and the checks are left out.

use std::sync::Arc;

use zhuandi_wire::time::Micros;

use super::srtp::Srtp;
use super::{Certificate, Epoch, State, Transport, TransportEvent, TransportParams};
use crate::api::{DtlsRole, IceCredentials, Path, Role, SrtpProfile, Stills};

/// Key and salt of both directions for AEAD_AES_128_GCM (RFC 7714 12.1, in the order of RFC 5764 4.2).
pub const KEYING_BYTES: usize = 2 * (16 + 12);

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
        transport.state = State::Connected;
        transport.open_path(now, path);
        transport.paths.select(path);
        transport.tell(TransportEvent::Connected(path));
        Ok(transport)
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
