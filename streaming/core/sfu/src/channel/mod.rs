//! Our one data channel over DTLS: SCTP as a sans-IO machine, DCEP answered, everything else refused (RFC 8831, RFC 8832).
//!
//! It never waits and never fails: what goes wrong closes this channel and nothing else.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use sctp_proto::{
    Association, AssociationHandle, ClientConfig, DatagramEvent, Endpoint, EndpointConfig, Event,
    Payload, PayloadProtocolIdentifier as Ppid, ReliabilityType, ServerConfig, StreamEvent,
    StreamId, TransportConfig,
};
use zhuandi_wire::dcep::{self, Message, Open};
use zhuandi_wire::time::Micros;

use crate::drop_reason::DropReason;
use crate::transport::{Epoch, micros};

#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
#[cfg(test)]
mod tests;

/// Name of the channel (PROTOCOL 1.1).
pub const LABEL: &str = "stills";
/// What is spoken on it.
pub const PROTOCOL: &str = "zhuandi-stills-1";
/// Largest message in either direction.
pub const MAX_MESSAGE: usize = 1_100;

/// What the peer may make us keep of unfinished messages.
const RECEIVE_BUFFER: u32 = 64 << 10;
/// Streams: the channel is one of them, browsers count in twos.
const MAX_STREAMS: u16 = 64;
/// Shortest and first retransmission timeout: a lost chunk blocks the window for no longer.
const RTO_MIN_MS: u64 = 200;
const RTO_INITIAL_MS: u64 = 500;
const RTO_MAX_MS: u64 = 700;
/// SCTP in DTLS has no addresses; the library wants one.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5_000);

/// See the module.
pub struct Channel {
    endpoint: Endpoint,
    association: Option<(AssociationHandle, Box<Association>)>,
    stream: Option<StreamId>,
    /// We said OPEN and wait for the ACK.
    opening: bool,
    /// The last message did not leave: the window is full.
    blocked: bool,
    over: bool,
}

fn transport_config() -> Arc<TransportConfig> {
    let most = u32::try_from(MAX_MESSAGE).unwrap_or(u32::MAX);
    Arc::new(
        TransportConfig::default()
            .with_max_receive_buffer_size(RECEIVE_BUFFER)
            .with_max_receive_message_size(most)
            .with_max_send_message_size(most)
            .with_max_num_inbound_streams(MAX_STREAMS)
            .with_max_num_outbound_streams(MAX_STREAMS)
            .with_max_init_retransmits(None)
            .with_rto_initial_ms(RTO_INITIAL_MS)
            .with_rto_min_ms(RTO_MIN_MS)
            .with_rto_max_ms(RTO_MAX_MS),
    )
}

impl Channel {
    /// A channel that waits for the peer's INIT and OPEN.
    pub fn accept() -> Channel {
        let mut server = ServerConfig::default();
        server.transport = transport_config();
        Channel {
            endpoint: Endpoint::new(Arc::new(EndpointConfig::new()), Some(Arc::new(server))),
            association: None,
            stream: None,
            opening: false,
            blocked: false,
            over: false,
        }
    }

    /// A channel that we open: INIT leaves with the next `poll_transmit`.
    pub fn open() -> Channel {
        let mut channel = Channel::accept();
        let mut config = ClientConfig::default();
        config.transport = transport_config();
        match channel.endpoint.connect(config, NOWHERE) {
            Ok((handle, association)) => {
                channel.association = Some((handle, Box::new(association)));
                channel.opening = true;
            }
            Err(_) => channel.over = true,
        }
        channel
    }

    /// The peer's messages reach us and ours reach it.
    pub fn is_open(&self) -> bool {
        self.stream.is_some() && !self.opening && !self.over
    }

    /// A message would leave at once.
    pub fn is_ready(&self) -> bool {
        self.is_open() && !self.blocked
    }

    /// Take an SCTP packet; the messages that are whole now are appended to `messages`.
    pub fn handle(
        &mut self,
        now: Micros,
        epoch: Epoch,
        packet: &[u8],
        messages: &mut Vec<Vec<u8>>,
    ) -> Result<(), DropReason> {
        if self.over {
            return Err(DropReason::ChannelClosed);
        }
        let bytes = packet.to_vec().into();
        let taken = self
            .endpoint
            .handle(epoch.instant(now), NOWHERE, None, None, bytes);
        match (taken, &mut self.association) {
            (Some((handle, DatagramEvent::NewAssociation(new))), None) => {
                self.endpoint.reject_new_associations();
                self.association = Some((handle, Box::new(new)));
            }
            (Some((_, DatagramEvent::AssociationEvent(event))), Some((_, association))) => {
                association.handle_event(event);
            }
            _ => return Err(DropReason::ChannelMalformed),
        }
        self.follow(messages)
    }

    /// Retransmissions and delayed acknowledgements.
    pub fn handle_timeout(&mut self, now: Micros, epoch: Epoch) {
        if let Some((_, association)) = &mut self.association {
            association.handle_timeout(epoch.instant(now));
        }
        // Timers bring no messages; a lost association is noted.
        let _ = self.follow(&mut Vec::new());
    }

    /// When [`Channel::handle_timeout`] is due.
    pub fn poll_timeout(&self, epoch: Epoch) -> Micros {
        let due = self.association.as_ref().filter(|_| !self.over);
        due.and_then(|(_, association)| association.poll_timeout())
            .map_or(Micros::NEVER, |at| micros(epoch.base, at))
    }

    /// The next SCTP packets to send, appended to `packets`.
    pub fn poll_transmit(&mut self, now: Micros, epoch: Epoch, packets: &mut Vec<Vec<u8>>) {
        let Some((handle, association)) = &mut self.association else {
            return;
        };
        while let Some(transmit) = association.poll_transmit(epoch.instant(now)) {
            if let Payload::RawEncode(parts) = transmit.payload {
                packets.extend(parts.into_iter().map(|part| part.to_vec()));
                self.blocked = false;
            }
        }
        while let Some(event) = association.poll_endpoint_event() {
            if let Some(event) = self.endpoint.handle_event(*handle, event) {
                association.handle_event(event);
            }
        }
    }

    /// Send a message; false = the channel is not open. Drain `poll_transmit` next: when nothing comes, the window is full.
    pub fn send(&mut self, message: &[u8]) -> bool {
        if !self.is_open() {
            return false;
        }
        self.blocked = true;
        self.write(message, Ppid::Binary)
    }

    fn write(&mut self, bytes: &[u8], ppid: Ppid) -> bool {
        let Some(((_, association), id)) = self.association.as_mut().zip(self.stream) else {
            return false;
        };
        let mut stream = association.stream(id);
        stream
            .as_mut()
            .is_ok_and(|stream| stream.write_with_ppi(bytes, ppid).is_ok())
    }

    fn follow(&mut self, messages: &mut Vec<Vec<u8>>) -> Result<(), DropReason> {
        let mut result = Ok(());
        while let Some(event) = self.association.as_mut().and_then(|(_, a)| a.poll()) {
            match event {
                Event::Connected if self.opening => self.say_open(),
                Event::Stream(StreamEvent::Readable { id }) => {
                    result = result.and(self.read(id, messages));
                }
                Event::Stream(StreamEvent::Finished { id }) if self.stream == Some(id) => {
                    self.stream = None;
                }
                Event::HandshakeFailed { .. } | Event::AssociationLost { .. } => {
                    self.over = true;
                    self.stream = None;
                }
                _ => {}
            }
        }
        result
    }

    fn say_open(&mut self) {
        let Some((_, association)) = &mut self.association else {
            return;
        };
        let mut open = Vec::new();
        Message::Open(Open {
            channel_type: dcep::PARTIAL_RELIABLE_REXMIT_UNORDERED,
            priority: 256,
            reliability: 0,
            label: LABEL,
            protocol: PROTOCOL,
        })
        .write(&mut open);
        // The side that began DTLS takes even streams (RFC 8832 6); in the client role that is us.
        if association.open_stream(0, Ppid::Binary).is_ok() {
            self.stream = Some(0);
            self.write(&open, Ppid::Dcep);
        }
    }

    fn read(&mut self, id: StreamId, messages: &mut Vec<Vec<u8>>) -> Result<(), DropReason> {
        let mut result = Ok(());
        loop {
            let Some((_, association)) = &mut self.association else {
                return result;
            };
            let Ok(Some(chunks)) = association
                .stream(id)
                .and_then(|mut stream| stream.read_sctp())
            else {
                return result;
            };
            let mut bytes = vec![0; chunks.len()];
            let read = chunks.read(&mut bytes).is_ok();
            result = match chunks.ppi {
                _ if !read => Err(DropReason::ChannelMalformed),
                Ppid::Dcep => self.establish(id, &bytes),
                Ppid::Binary if self.stream == Some(id) => {
                    messages.push(bytes);
                    Ok(())
                }
                _ => Err(DropReason::ChannelUnknown),
            };
        }
    }

    fn establish(&mut self, id: StreamId, bytes: &[u8]) -> Result<(), DropReason> {
        match Message::parse(bytes).map_err(|_| DropReason::ChannelMalformed)? {
            Message::Ack if self.opening && self.stream == Some(id) => {
                self.opening = false;
                self.make_unreliable(id);
                Ok(())
            }
            Message::Open(open) if open.label == LABEL && open.protocol == PROTOCOL => {
                if self.stream.is_some_and(|ours| ours != id) {
                    return Err(DropReason::ChannelUnknown);
                }
                self.stream = Some(id);
                let mut ack = Vec::new();
                Message::Ack.write(&mut ack);
                // The answer itself is reliable and in order (RFC 8832 5.2); what follows is not.
                self.write(&ack, Ppid::Dcep);
                self.make_unreliable(id);
                Ok(())
            }
            _ => Err(DropReason::ChannelUnknown),
        }
    }

    fn make_unreliable(&mut self, id: StreamId) {
        if let Some((_, association)) = &mut self.association
            && let Ok(mut stream) = association.stream(id)
        {
            // It fails only for a stream that is gone.
            let _ = stream.set_reliability_params(true, ReliabilityType::Rexmit, 0);
        }
    }
}
