//! Thin safe words around the system calls that std lacks: eventfd, epoll, socket options, interface addresses.
#![allow(unsafe_code)]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use libc::{c_int, c_void, socklen_t};

/// Turns libc's -1 into an error.
pub(crate) fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// A wake-up flag between threads, pollable (eventfd(2)).
#[derive(Debug)]
pub struct EventFd(OwnedFd);

impl EventFd {
    /// A new, unset flag.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers; the returned descriptor is ours alone.
        let fd = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: `fd` was just made and nobody else closes it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Set the flag; the reader wakes.
    pub fn set(&self) {
        let one: u64 = 1;
        // SAFETY: eight readable bytes. A full counter (EAGAIN) is as good as set.
        unsafe { libc::write(self.0.as_raw_fd(), (&raw const one).cast::<c_void>(), 8) };
    }

    /// Unset the flag.
    pub fn clear(&self) {
        let mut value: u64 = 0;
        // SAFETY: eight writable bytes. EAGAIN means that it was not set.
        unsafe { libc::read(self.0.as_raw_fd(), (&raw mut value).cast::<c_void>(), 8) };
    }
}

impl AsRawFd for EventFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// A level-triggered epoll(7) set.
#[derive(Debug)]
pub struct Epoll {
    fd: OwnedFd,
    buffer: Vec<libc::epoll_event>,
}

/// One ready descriptor: its token and what it is ready for.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// As given to [`Epoll::add`].
    pub token: u64,
    /// There is room to send.
    pub writable: bool,
    /// There is something to read, an end, or an error.
    pub readable: bool,
}

impl Epoll {
    /// An empty set that reports at most `batch` descriptors at a time.
    pub fn new(batch: usize) -> io::Result<Self> {
        // SAFETY: no pointers; the returned descriptor is ours alone.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: `fd` was just made and nobody else closes it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self {
            fd,
            buffer: vec![libc::epoll_event { events: 0, u64: 0 }; batch],
        })
    }

    fn control(&self, op: c_int, fd: RawFd, token: u64, write: bool) -> io::Result<()> {
        let mut events = libc::EPOLLIN as u32;
        if write {
            events |= libc::EPOLLOUT as u32;
        }
        let mut event = libc::epoll_event { events, u64: token };
        // SAFETY: `event` lives through the call; the kernel checks both descriptors.
        check(unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), op, fd, &raw mut event) }).map(|_| ())
    }

    /// Watch a descriptor for reading. Closing it removes it.
    pub fn add(&self, fd: RawFd, token: u64) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, token, false)
    }

    /// Watch a descriptor for writing too, or no longer.
    pub fn set_writable(&self, fd: RawFd, token: u64, write: bool) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, token, write)
    }

    /// Watch a descriptor no longer, though it stays open.
    pub fn remove(&self, fd: RawFd) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_DEL, fd, 0, false)
    }

    /// Sleep until something is ready or `timeout_ms` have passed; appends to `ready`.
    pub fn wait(&mut self, timeout_ms: c_int, ready: &mut Vec<Ready>) {
        let most = c_int::try_from(self.buffer.len()).unwrap_or(c_int::MAX);
        // SAFETY: the buffer holds `most` events. An interrupted wait reports nothing.
        let count = unsafe {
            libc::epoll_wait(
                self.fd.as_raw_fd(),
                self.buffer.as_mut_ptr(),
                most,
                timeout_ms,
            )
        };
        let count = usize::try_from(count).unwrap_or(0);
        ready.extend(self.buffer.iter().take(count).map(|event| Ready {
            token: event.u64,
            writable: event.events & libc::EPOLLOUT as u32 != 0,
            readable: event.events & !(libc::EPOLLOUT as u32) != 0,
        }));
    }
}

/// Set an integer socket option.
pub(crate) fn set_option(fd: RawFd, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    let size = size_of::<c_int>() as socklen_t;
    // SAFETY: the pointer is to a live c_int of the given size.
    check(unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast::<c_void>(), size) })
        .map(|_| ())
}

/// Ask for the largest buffers that the system allows; a refusal leaves the default.
pub(crate) fn big_buffers(fd: RawFd, bytes: c_int) {
    let _ = set_option(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, bytes);
    let _ = set_option(fd, libc::SOL_SOCKET, libc::SO_SNDBUF, bytes);
}

fn socket(family: c_int, kind: c_int) -> io::Result<OwnedFd> {
    // SAFETY: no pointers; the returned descriptor is ours alone.
    let fd =
        check(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0) })?;
    // SAFETY: `fd` was just made and nobody else closes it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The kernel's form of an address, and its length.
pub(crate) fn to_sockaddr(address: SocketAddr, out: &mut libc::sockaddr_storage) -> socklen_t {
    match address {
        SocketAddr::V4(v4) => {
            // SAFETY: sockaddr_storage is large and aligned enough for every sockaddr (POSIX).
            let raw =
                unsafe { &mut *(out as *mut libc::sockaddr_storage).cast::<libc::sockaddr_in>() };
            raw.sin_family = libc::AF_INET as libc::sa_family_t;
            raw.sin_port = v4.port().to_be();
            raw.sin_addr.s_addr = u32::from_ne_bytes(v4.ip().octets());
            size_of::<libc::sockaddr_in>() as socklen_t
        }
        SocketAddr::V6(v6) => {
            // SAFETY: as above.
            let raw =
                unsafe { &mut *(out as *mut libc::sockaddr_storage).cast::<libc::sockaddr_in6>() };
            raw.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            raw.sin6_port = v6.port().to_be();
            raw.sin6_flowinfo = 0;
            raw.sin6_addr.s6_addr = v6.ip().octets();
            raw.sin6_scope_id = v6.scope_id();
            size_of::<libc::sockaddr_in6>() as socklen_t
        }
    }
}

/// An address of the kernel as ours; v4-mapped addresses become plain IPv4.
pub(crate) fn from_sockaddr(raw: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match c_int::from(raw.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that this storage holds a sockaddr_in.
            let v4 =
                unsafe { &*(raw as *const libc::sockaddr_storage).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes());
            Some(SocketAddr::new(IpAddr::V4(ip), u16::from_be(v4.sin_port)))
        }
        libc::AF_INET6 => {
            // SAFETY: the family says that this storage holds a sockaddr_in6.
            let v6 =
                unsafe { &*(raw as *const libc::sockaddr_storage).cast::<libc::sockaddr_in6>() };
            let ip = IpAddr::V6(Ipv6Addr::from(v6.sin6_addr.s6_addr)).to_canonical();
            Some(SocketAddr::new(ip, u16::from_be(v6.sin6_port)))
        }
        _ => None,
    }
}

fn bind(fd: &OwnedFd, address: SocketAddr) -> io::Result<()> {
    // SAFETY: all-zero bytes are a valid sockaddr_storage.
    let mut raw: libc::sockaddr_storage = unsafe { zeroed() };
    let size = to_sockaddr(address, &mut raw);
    // SAFETY: `raw` holds an address of `size` bytes.
    check(unsafe {
        libc::bind(
            fd.as_raw_fd(),
            (&raw const raw).cast::<libc::sockaddr>(),
            size,
        )
    })
    .map(|_| ())
}

fn family_of(address: &SocketAddr) -> c_int {
    if address.is_ipv6() {
        libc::AF_INET6
    } else {
        libc::AF_INET
    }
}

/// A non-blocking UDP socket bound to `address`; IPv6 wildcards take IPv4 too; destination addresses are reported.
pub(crate) fn udp_socket(address: SocketAddr) -> io::Result<UdpSocket> {
    let fd = socket(family_of(&address), libc::SOCK_DGRAM)?;
    if address.is_ipv6() {
        set_option(fd.as_raw_fd(), libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 0)?;
        set_option(
            fd.as_raw_fd(),
            libc::IPPROTO_IPV6,
            libc::IPV6_RECVPKTINFO,
            1,
        )?;
    } else {
        set_option(fd.as_raw_fd(), libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?;
    }
    bind(&fd, address)?;
    Ok(UdpSocket::from(fd))
}

/// A non-blocking TCP listener on `address`; IPv6 wildcards take IPv4 too.
pub(crate) fn tcp_listener(address: SocketAddr) -> io::Result<TcpListener> {
    let fd = socket(family_of(&address), libc::SOCK_STREAM)?;
    if address.is_ipv6() {
        set_option(fd.as_raw_fd(), libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 0)?;
    }
    // Connections of an earlier process in TIME_WAIT must not keep us from starting again.
    set_option(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    bind(&fd, address)?;
    // SAFETY: no pointers.
    check(unsafe { libc::listen(fd.as_raw_fd(), 512) })?;
    Ok(TcpListener::from(fd))
}

/// A non-blocking TCP connection that may still be in progress; writes fail with EAGAIN until it stands.
pub(crate) fn tcp_connect(remote: SocketAddr) -> io::Result<TcpStream> {
    let fd = socket(family_of(&remote), libc::SOCK_STREAM)?;
    // SAFETY: all-zero bytes are a valid sockaddr_storage.
    let mut raw: libc::sockaddr_storage = unsafe { zeroed() };
    let size = to_sockaddr(remote, &mut raw);
    // SAFETY: `raw` holds an address of `size` bytes.
    match check(unsafe {
        libc::connect(
            fd.as_raw_fd(),
            (&raw const raw).cast::<libc::sockaddr>(),
            size,
        )
    }) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
        _ => Ok(TcpStream::from(fd)),
    }
}

/// Wait at most `timeout_ms` for room in a socket's send buffer.
pub(crate) fn wait_writable(fd: RawFd, timeout_ms: c_int) -> bool {
    let mut poll = libc::pollfd {
        fd,
        events: libc::POLLOUT,
        revents: 0,
    };
    // SAFETY: one live pollfd.
    unsafe { libc::poll(&raw mut poll, 1, timeout_ms) > 0 }
}

/// Addresses of the interfaces that are up, other machines' reachable ones first; link-local ones are left out.
pub fn interface_addresses() -> Vec<IpAddr> {
    let mut list: *mut libc::ifaddrs = std::ptr::null_mut();
    let mut found = Vec::new();
    // SAFETY: on success `list` is a linked list of the kernel's addresses, freed below.
    if unsafe { libc::getifaddrs(&raw mut list) } != 0 {
        return found;
    }
    let mut next = list;
    // SAFETY: each node is valid until freeifaddrs; null ends the list.
    while let Some(node) = unsafe { next.as_ref() } {
        next = node.ifa_next;
        let up = node.ifa_flags & libc::IFF_UP as u32 != 0;
        if node.ifa_addr.is_null() || !up {
            continue;
        }
        if let Some(ip) = interface_ip(node.ifa_addr) {
            found.push(ip);
        }
    }
    // SAFETY: `list` came from getifaddrs and is freed once.
    unsafe { libc::freeifaddrs(list) };
    found.retain(|ip| !matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local()));
    found.dedup();
    found.sort_by_key(|ip| (ip.is_loopback(), ip.is_ipv6()));
    found
}

fn interface_ip(raw: *const libc::sockaddr) -> Option<IpAddr> {
    // SAFETY: `raw` is not null and holds at least the family; the cast follows the family.
    unsafe {
        match c_int::from((*raw).sa_family) {
            libc::AF_INET => {
                let v4 = &*raw.cast::<libc::sockaddr_in>();
                Some(IpAddr::V4(Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes())))
            }
            libc::AF_INET6 => {
                let v6 = &*raw.cast::<libc::sockaddr_in6>();
                Some(IpAddr::V6(Ipv6Addr::from(v6.sin6_addr.s6_addr)))
            }
            _ => None,
        }
    }
}
