//! One sendmmsg(2): runs of datagrams from one socket, each run one message with UDP_SEGMENT (GSO) and its source address.
#![allow(unsafe_code)]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::RawFd;

use libc::{c_int, c_void, cmsghdr, iovec, mmsghdr, sockaddr_storage};

use crate::sys::{check, to_sockaddr, wait_writable};

/// Messages of one call.
pub(crate) const MESSAGES: usize = 64;
const CONTROL: usize = 96;
/// udp(7), Linux 4.18.
const UDP_SEGMENT: c_int = 103;
/// How long a full send buffer may hold the worker before datagrams are dropped, as a full link drops them.
const FULL_WAIT_MS: c_int = 5;

#[repr(align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

/// One message to send: whole datagrams of `segment` bytes (the last may be shorter).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    pub start: usize,
    pub len: usize,
    pub segment: usize,
    pub remote: SocketAddr,
    /// Source address; `None` leaves it to the socket.
    pub source: Option<IpAddr>,
}

/// The memory of a sending worker, used again for every call.
pub(crate) struct SendBatch {
    controls: Vec<Control>,
    names: Vec<sockaddr_storage>,
    vectors: Vec<iovec>,
    headers: Vec<mmsghdr>,
    /// Datagrams that the kernel refused.
    pub dropped: u64,
}

// SAFETY: the raw pointers point into the vectors of the same value and the caller's buffer, and are set anew before every call.
unsafe impl Send for SendBatch {}

impl SendBatch {
    pub(crate) fn new() -> Self {
        Self {
            controls: vec![Control([0; CONTROL]); MESSAGES],
            // SAFETY: all-zero bytes are valid for these plain C structures.
            names: vec![unsafe { zeroed() }; MESSAGES],
            vectors: vec![
                iovec {
                    iov_base: std::ptr::null_mut(),
                    iov_len: 0
                };
                MESSAGES
            ],
            // SAFETY: as above.
            headers: vec![unsafe { zeroed() }; MESSAGES],
            dropped: 0,
        }
    }

    /// Send `messages` (at most [`MESSAGES`]) of `buf` from `fd`; `v6` says that the socket is an IPv6 one.
    ///
    /// A message that the kernel refuses is dropped and the rest goes on; `Err` only says that segmentation is not
    /// supported here, with the number of messages that went out before.
    pub(crate) fn send(
        &mut self,
        fd: RawFd,
        v6: bool,
        buf: &[u8],
        messages: &[Message],
    ) -> Result<(), usize> {
        let count = self.prepare(v6, buf, messages);
        let mut done = 0;
        let mut waited = false;
        while done < count {
            let Some(rest) = self.headers.get_mut(done..count) else {
                break;
            };
            // SAFETY: `prepare` set every header to live buffers; `buf` outlives the call.
            let sent = check(unsafe {
                libc::sendmmsg(
                    fd,
                    rest.as_mut_ptr(),
                    u32::try_from(rest.len()).unwrap_or(0),
                    libc::MSG_DONTWAIT,
                )
            });
            match sent {
                Ok(sent) => {
                    done += usize::try_from(sent).unwrap_or(0).max(1);
                    waited = false;
                }
                Err(error) => match refusal(&error) {
                    Refusal::Again => {}
                    // Once for each message: ENOBUFS may come back though the socket says that it has room.
                    Refusal::Full if !waited => {
                        wait_writable(fd, FULL_WAIT_MS);
                        waited = true;
                    }
                    Refusal::Full => {
                        self.count_dropped(messages.get(done..).unwrap_or_default());
                        break;
                    }
                    Refusal::Segments
                        if messages
                            .get(done)
                            .is_some_and(|message| message.len > message.segment) =>
                    {
                        return Err(done);
                    }
                    Refusal::Segments | Refusal::Message => {
                        self.count_dropped(messages.get(done..=done).unwrap_or_default());
                        done += 1;
                    }
                },
            }
        }
        Ok(())
    }

    fn count_dropped(&mut self, messages: &[Message]) {
        let datagrams: usize = messages
            .iter()
            .map(|message| message.len.div_ceil(message.segment.max(1)))
            .sum();
        self.dropped += datagrams as u64;
    }

    fn prepare(&mut self, v6: bool, buf: &[u8], messages: &[Message]) -> usize {
        let rows = self
            .controls
            .iter_mut()
            .zip(&mut self.names)
            .zip(self.vectors.iter_mut().zip(&mut self.headers));
        let mut count = 0;
        for (((control, name), (vector, header)), message) in rows.zip(messages) {
            let bytes = buf
                .get(message.start..message.start + message.len)
                .unwrap_or_default();
            vector.iov_base = bytes.as_ptr().cast_mut().cast::<c_void>();
            vector.iov_len = bytes.len();
            let hdr = &mut header.msg_hdr;
            hdr.msg_namelen = to_sockaddr(family(v6, message.remote), name);
            hdr.msg_name = (name as *mut sockaddr_storage).cast::<c_void>();
            hdr.msg_iov = vector;
            hdr.msg_iovlen = 1;
            hdr.msg_control = control.0.as_mut_ptr().cast::<c_void>();
            hdr.msg_controllen = CONTROL;
            hdr.msg_flags = 0;
            hdr.msg_controllen = write_control(hdr, v6, message);
            if hdr.msg_controllen == 0 {
                hdr.msg_control = std::ptr::null_mut();
            }
            count += 1;
        }
        count
    }
}

enum Refusal {
    /// Interrupted: try again.
    Again,
    /// No room.
    Full,
    /// GSO is not supported by this kernel or interface.
    Segments,
    /// This message cannot go (no route, a filter, an ICMP error of an earlier one).
    Message,
}

fn refusal(error: &io::Error) -> Refusal {
    match error.raw_os_error() {
        Some(libc::EINTR) => Refusal::Again,
        Some(libc::EAGAIN | libc::ENOBUFS) => Refusal::Full,
        Some(libc::EIO | libc::EINVAL | libc::EMSGSIZE | libc::EOPNOTSUPP | libc::ENOPROTOOPT) => {
            Refusal::Segments
        }
        _ => Refusal::Message,
    }
}

/// An IPv6 socket reaches IPv4 peers by their v4-mapped addresses.
fn family(v6: bool, address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v6 => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
        other => other,
    }
}

/// Writes UDP_SEGMENT and PKTINFO where needed; the bytes used.
fn write_control(header: &libc::msghdr, v6: bool, message: &Message) -> usize {
    let mut used = 0;
    // SAFETY: CONTROL bytes hold both messages (asserted below); FIRSTHDR/NXTHDR/CMSG_DATA stay inside that aligned buffer,
    // and unaligned writes are used for the payloads.
    unsafe {
        let mut at: *mut cmsghdr = libc::CMSG_FIRSTHDR(header);
        if message.len > message.segment {
            let segment = u16::try_from(message.segment).unwrap_or(u16::MAX);
            used += put(at, libc::IPPROTO_UDP, UDP_SEGMENT, segment);
            at = at.cast::<u8>().add(used).cast::<cmsghdr>();
        }
        match message.source {
            Some(IpAddr::V4(ip)) if !v6 => {
                let mut info: libc::in_pktinfo = zeroed();
                info.ipi_spec_dst.s_addr = u32::from_ne_bytes(ip.octets());
                used += put(at, libc::IPPROTO_IP, libc::IP_PKTINFO, info);
            }
            Some(ip) => {
                let mut info: libc::in6_pktinfo = zeroed();
                info.ipi6_addr.s6_addr = match ip {
                    IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
                    IpAddr::V6(ip) => ip.octets(),
                };
                used += put(at, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info);
            }
            None => {}
        }
    }
    used
}

/// Writes one control message at `at`; the space that it takes.
///
/// # Safety
/// `at` must be aligned for `cmsghdr` and have CMSG_SPACE of `T` bytes.
unsafe fn put<T>(at: *mut cmsghdr, level: c_int, kind: c_int, value: T) -> usize {
    let size = size_of::<T>() as u32;
    // SAFETY: promised by the caller.
    unsafe {
        (*at).cmsg_level = level;
        (*at).cmsg_type = kind;
        (*at).cmsg_len = libc::CMSG_LEN(size) as usize;
        libc::CMSG_DATA(at).cast::<T>().write_unaligned(value);
        libc::CMSG_SPACE(size) as usize
    }
}

const _: () =
    assert!(CONTROL >= 2 * size_of::<cmsghdr>() + 8 + size_of::<libc::in6_pktinfo>() + 16);
