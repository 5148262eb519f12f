//! Taking the ports: worker i has UDP and TCP on `port + i`, all or none.

use std::io::{self, ErrorKind};

use crate::error::CoreError;
use crate::sys;
use crate::tcp::TcpPort;
use crate::udp::UdpPort;

/// Other programs may sit on single ports of a range that the kernel picked; look at so many ranges.
const ATTEMPTS: usize = 64;

/// The sockets of all workers. With port 0 a free range is looked for.
pub(crate) fn bind_workers(
    port: u16,
    workers: usize,
) -> Result<Vec<(UdpPort, TcpPort)>, CoreError> {
    let mut last = None;
    for _ in 0..if port == 0 { ATTEMPTS } else { 1 } {
        match try_range(port, workers) {
            Ok(sockets) => return Ok(sockets),
            Err(error) => last = Some(error),
        }
    }
    Err(CoreError::Io(
        last.unwrap_or_else(|| io::Error::from(ErrorKind::AddrInUse)),
    ))
}

fn try_range(port: u16, workers: usize) -> io::Result<Vec<(UdpPort, TcpPort)>> {
    let mut sockets = Vec::new();
    let mut next = port;
    for _ in 0..workers {
        let udp = UdpPort::wildcard(next).map_err(|error| explain(error, "UDP", next))?;
        let bound = udp.bound();
        let tcp = sys::tcp_listener(bound).map_err(|error| explain(error, "TCP", bound.port()))?;
        next = bound
            .port()
            .checked_add(1)
            .ok_or_else(|| io::Error::other("no ports above 65535"))?;
        sockets.push((udp, TcpPort::new(tcp)));
    }
    Ok(sockets)
}

fn explain(error: io::Error, protocol: &str, port: u16) -> io::Error {
    let remedy = match error.kind() {
        ErrorKind::AddrInUse => {
            "it is in use: stop the program that has it (`ss -lnp` names it) or set another media port"
        }
        ErrorKind::PermissionDenied => {
            "not allowed: ports below 1024 need CAP_NET_BIND_SERVICE; set a higher media port"
        }
        _ => return io::Error::new(error.kind(), format!("{protocol} port {port}: {error}")),
    };
    io::Error::new(
        error.kind(),
        format!("{protocol} port {port} cannot be opened, {remedy}"),
    )
}
