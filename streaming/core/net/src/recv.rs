//! One recvmmsg(2): up to 32 datagrams, each with its peer and the address that it was sent to.
#![allow(unsafe_code)]

use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::RawFd;

use libc::{c_void, cmsghdr, iovec, mmsghdr, sockaddr_storage, socklen_t};

use crate::sys::from_sockaddr;

/// Datagrams of one call.
pub(crate) const BATCH: usize = 32;
/// Bytes of one datagram; a longer one is no packet of ours (RFC 8834: below the path MTU) and is dropped.
pub(crate) const DATAGRAM: usize = 2048;
/// Room for one IPV6_PKTINFO and one IP_PKTINFO message.
const CONTROL: usize = 128;

#[repr(align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

/// The memory of a receiving worker, used again for every call.
pub(crate) struct RecvBatch {
    slab: Vec<[u8; DATAGRAM]>,
    controls: Vec<Control>,
    names: Vec<sockaddr_storage>,
    vectors: Vec<iovec>,
    headers: Vec<mmsghdr>,
    received: usize,
}

/// One datagram in the slab.
pub(crate) struct Datagram<'a> {
    /// Its bytes.
    pub bytes: &'a mut [u8],
    /// Who sent it.
    pub remote: SocketAddr,
    /// The address that it was sent to, when the kernel said so.
    pub local: Option<IpAddr>,
}

// SAFETY: the raw pointers in `vectors` and `headers` point into the vectors of the same value and are set anew before every call.
unsafe impl Send for RecvBatch {}

impl RecvBatch {
    pub(crate) fn new() -> Self {
        Self {
            slab: vec![[0; DATAGRAM]; BATCH],
            controls: vec![Control([0; CONTROL]); BATCH],
            // SAFETY: all-zero bytes are valid for these plain C structures.
            names: vec![unsafe { zeroed() }; BATCH],
            vectors: vec![
                iovec {
                    iov_base: std::ptr::null_mut(),
                    iov_len: 0
                };
                BATCH
            ],
            // SAFETY: as above.
            headers: vec![unsafe { zeroed() }; BATCH],
            received: 0,
        }
    }

    /// Fill the slab from a non-blocking socket; the number of datagrams, 0 when there are none.
    pub(crate) fn receive(&mut self, fd: RawFd) -> usize {
        let rows = self
            .slab
            .iter_mut()
            .zip(&mut self.controls)
            .zip(&mut self.names);
        for (((buffer, control), name), (vector, header)) in
            rows.zip(self.vectors.iter_mut().zip(&mut self.headers))
        {
            vector.iov_base = buffer.as_mut_ptr().cast::<c_void>();
            vector.iov_len = DATAGRAM;
            header.msg_hdr.msg_name = (name as *mut sockaddr_storage).cast::<c_void>();
            header.msg_hdr.msg_namelen = size_of::<sockaddr_storage>() as socklen_t;
            header.msg_hdr.msg_iov = vector;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = control.0.as_mut_ptr().cast::<c_void>();
            header.msg_hdr.msg_controllen = CONTROL;
            header.msg_hdr.msg_flags = 0;
        }
        // SAFETY: all pointers were just set to live buffers of the lengths given; no timeout.
        let count = unsafe {
            libc::recvmmsg(
                fd,
                self.headers.as_mut_ptr(),
                BATCH as u32,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        self.received = usize::try_from(count).unwrap_or(0);
        self.received
    }

    /// The datagrams of the last call.
    pub(crate) fn datagrams(&mut self) -> impl Iterator<Item = Datagram<'_>> {
        let rows = self
            .slab
            .iter_mut()
            .zip(&self.names)
            .zip(&self.headers)
            .take(self.received);
        rows.filter_map(|((buffer, name), header)| {
            if header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0 {
                return None;
            }
            let bytes = buffer.get_mut(..header.msg_len as usize)?;
            Some(Datagram {
                bytes,
                remote: from_sockaddr(name)?,
                local: destination(&header.msg_hdr),
            })
        })
    }
}

/// The destination address in the control messages (ip(7) IP_PKTINFO, ipv6(7) IPV6_PKTINFO).
fn destination(header: &libc::msghdr) -> Option<IpAddr> {
    // SAFETY: the kernel wrote well-formed control messages of `msg_controllen` bytes into our aligned buffer,
    // and each message type carries the structure that is read from it.
    unsafe {
        let mut next: *const cmsghdr = libc::CMSG_FIRSTHDR(header);
        while let Some(message) = next.as_ref() {
            match (message.cmsg_level, message.cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    let info = libc::CMSG_DATA(next)
                        .cast::<libc::in_pktinfo>()
                        .read_unaligned();
                    return Some(IpAddr::V4(Ipv4Addr::from(
                        info.ipi_addr.s_addr.to_ne_bytes(),
                    )));
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    let info = libc::CMSG_DATA(next)
                        .cast::<libc::in6_pktinfo>()
                        .read_unaligned();
                    return Some(IpAddr::V6(Ipv6Addr::from(info.ipi6_addr.s6_addr)).to_canonical());
                }
                _ => next = libc::CMSG_NXTHDR(header, next),
            }
        }
    }
    None
}

/// Keeps the constants of C and ours in step.
const _: () = assert!(CONTROL >= 2 * (size_of::<cmsghdr>() + size_of::<libc::in6_pktinfo>()) + 32);
