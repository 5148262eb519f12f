//! The one look at the first frame of an ICE-TCP connection: is it a STUN request, and for whom.

/// STUN magic cookie (RFC 8489 section 5).
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const USERNAME: u16 = 0x0006;
const STUN_HEADER: usize = 20;

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
