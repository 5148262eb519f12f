//! RFC 4571 frames on ICE-TCP connections, and the one look at a first frame: is it a STUN request, and for whom.

/// STUN magic cookie (RFC 8489 section 5).
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const USERNAME: u16 = 0x0006;
const STUN_HEADER: usize = 20;

/// Frames that are cut out of a byte stream.
#[derive(Debug, Default)]
pub(crate) struct Deframer {
    buffer: Vec<u8>,
    start: usize,
}

impl Deframer {
    /// Go on with bytes that another reader of the same stream left.
    pub(crate) fn with(buffer: Vec<u8>) -> Self {
        Self { buffer, start: 0 }
    }

    /// Append what was read.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame; empty frames are skipped.
    pub(crate) fn next(&mut self) -> Option<&mut [u8]> {
        loop {
            let rest = self.buffer.get(self.start..)?;
            let Some((len, body)) = rest.split_first_chunk::<2>() else {
                break;
            };
            let len = usize::from(u16::from_be_bytes(*len));
            if body.len() < len {
                break;
            }
            let begin = self.start + 2;
            self.start = begin + len;
            if len > 0 {
                return self.buffer.get_mut(begin..begin + len);
            }
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        None
    }

    /// The first frame, which stays in the buffer.
    pub(crate) fn peek(&self) -> Option<&[u8]> {
        let (len, body) = self.buffer.get(self.start..)?.split_first_chunk::<2>()?;
        body.get(..usize::from(u16::from_be_bytes(*len)))
    }

    /// All bytes that were not taken yet.
    pub(crate) fn into_rest(mut self) -> Vec<u8> {
        self.buffer.drain(..self.start);
        self.buffer
    }

    pub(crate) fn len(&self) -> usize {
        self.buffer.len() - self.start
    }
}

/// The part of USERNAME before the colon, our ufrag (RFC 8445 section 7.2.2), if this is a STUN Binding request.
pub(crate) fn stun_ufrag(frame: &[u8]) -> Option<&str> {
    let (header, mut attributes) = frame.split_at_checked(STUN_HEADER)?;
    if !header.starts_with(&BINDING_REQUEST) || header.get(4..8)? != COOKIE {
        return None;
    }
    loop {
        let (kind, rest) = attributes.split_first_chunk::<2>()?;
        let (len, rest) = rest.split_first_chunk::<2>()?;
        let len = usize::from(u16::from_be_bytes(*len));
        let value = rest.get(..len)?;
        if u16::from_be_bytes(*kind) == USERNAME {
            return std::str::from_utf8(value).ok()?.split(':').next();
        }
        attributes = rest.get(len.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_however_the_stream_is_cut() {
        let stream = [0, 3, 1, 2, 3, 0, 0, 0, 1, 9];
        for cut in 0..=stream.len() {
            let mut deframer = Deframer::default();
            let mut got = Vec::new();
            for part in [&stream[..cut], &stream[cut..]] {
                deframer.extend(part);
                while let Some(frame) = deframer.next() {
                    got.push(frame.to_vec());
                }
            }
            assert_eq!(got, [vec![1, 2, 3], vec![9]], "cut at {cut}");
            assert_eq!(deframer.len(), 0);
        }
    }

    #[test]
    fn what_a_look_leaves_is_all_handed_over() {
        let mut deframer = Deframer::default();
        deframer.extend(&[0, 1, 7, 0, 2, 8]);
        assert_eq!(deframer.peek(), Some(&[7][..]));
        assert_eq!(deframer.into_rest(), [0, 1, 7, 0, 2, 8]);
    }

    fn binding(attributes: &[u8]) -> Vec<u8> {
        let mut frame = vec![0, 1, 0, attributes.len() as u8];
        frame.extend(COOKIE);
        frame.extend([0; 12]);
        frame.extend(attributes);
        frame
    }

    #[test]
    fn the_ufrag_is_found_behind_other_attributes() {
        let frame = binding(&[
            0x80, 0x22, 0, 1, b'x', 0, 0, 0, 0, 6, 0, 5, b'a', b'b', b':', b'c', b'd', 0, 0, 0,
        ]);
        assert_eq!(stun_ufrag(&frame), Some("ab"));
    }

    #[test]
    fn anything_else_than_a_binding_request_with_a_name_is_nobody() {
        assert_eq!(stun_ufrag(b"GET / HTTP/1.1\r\n\r\nabcdefgh"), None);
        assert_eq!(stun_ufrag(&binding(&[])), None);
        let whole = binding(&[0, 6, 0, 5, b'a', b'b', b':', b'c', b'd', 0, 0, 0]);
        for end in 0..whole.len() - 3 {
            assert_eq!(stun_ufrag(&whole[..end]), None, "cut at {end}");
        }
    }
}
