//! SRTP and SRTCP of the association: only on opened paths, only with keys.

use zhuandi_wire::time::Micros;

use super::srtp::Srtp;
use super::{MAX_WAITING, Transport, Unprotected};
use crate::api::Path;
use crate::drop_reason::DropReason;

impl Transport {
    /// Name an SSRC that the SDP or the engine knows; 16 more may appear by themselves.
    pub fn declare_ssrc(&mut self, ssrc: u32) {
        match &mut self.srtp {
            Some(srtp) => srtp.declare_ssrc(ssrc),
            None if self.declared.len() < MAX_WAITING => self.declared.push(ssrc),
            None => {}
        }
    }

    /// Decrypt an SRTP packet in place.
    pub fn unprotect_rtp(
        &mut self,
        now: Micros,
        path: Path,
        packet: &mut [u8],
    ) -> Result<Unprotected, DropReason> {
        let plain = self.inbound(&path)?.unprotect_rtp(packet)?;
        self.authenticated(now, &path);
        Ok(plain)
    }

    /// Decrypt an SRTCP packet in place.
    pub fn unprotect_rtcp(
        &mut self,
        now: Micros,
        path: Path,
        packet: &mut [u8],
    ) -> Result<Unprotected, DropReason> {
        let plain = self.inbound(&path)?.unprotect_rtcp(packet)?;
        self.authenticated(now, &path);
        Ok(plain)
    }

    fn inbound(&mut self, path: &Path) -> Result<&mut Srtp, DropReason> {
        if !self.paths.is_open(path) {
            return Err(DropReason::SrtpUnopenedPath);
        }
        self.srtp.as_deref_mut().ok_or(DropReason::SrtpNoKeys)
    }

    /// Encrypt the RTP packet at `buf[start..]` in place and append its tag. `index` is ROC << 16 | sequence number;
    /// an index is sealed once per SSRC, a second time is refused with [`DropReason::NonceReuse`].
    pub fn protect_rtp(
        &mut self,
        buf: &mut Vec<u8>,
        start: usize,
        index: u64,
    ) -> Result<(), DropReason> {
        self.srtp
            .as_mut()
            .ok_or(DropReason::SrtpNoKeys)?
            .protect_rtp(buf, start, index)
    }

    /// Encrypt the RTCP packet at `buf[start..]` in place and append its index and tag.
    pub fn protect_rtcp(&mut self, buf: &mut Vec<u8>, start: usize) -> Result<(), DropReason> {
        self.srtp
            .as_mut()
            .ok_or(DropReason::SrtpNoKeys)?
            .protect_rtcp(buf, start)
    }
}
