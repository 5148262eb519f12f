//! Dicts of the contract to values of the engine; every mistake is a `ValueError` that names the key.

use std::net::{IpAddr, SocketAddr};

use pyo3::conversion::FromPyObjectOwned;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use zhuandi_net::OpenTransport;
use zhuandi_sfu::api::{
    Codec, CodecParams, DtlsRole, EncodingParams, Extensions, IceCredentials, Kind, Proto, Role,
    RtpParameters, SrtpProfile, Stills, TransportParams,
};

use crate::errors::bad;

/// A key's value, or `None` when it is absent or None.
pub(crate) fn get<'py, T: FromPyObjectOwned<'py>>(
    dict: &Bound<'py, PyDict>,
    key: &str,
) -> PyResult<Option<T>> {
    match dict.get_item(key)? {
        Some(value) if !value.is_none() => value.extract().map(Some).map_err(|error| {
            bad(format!(
                "{key}: {}",
                Into::<PyErr>::into(error).value(dict.py())
            ))
        }),
        _ => Ok(None),
    }
}

fn need<'py, T: FromPyObjectOwned<'py>>(dict: &Bound<'py, PyDict>, key: &str) -> PyResult<T> {
    get(dict, key)?.ok_or_else(|| bad(format!("{key} is missing")))
}

/// One of the words of a choice.
pub(crate) fn choose<T: Copy>(key: &str, word: &str, choices: &[(&str, T)]) -> PyResult<T> {
    choices
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, value)| *value)
        .ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            bad(format!(
                "{key} is {word:?}, must be one of {}",
                names.join(", ")
            ))
        })
}

/// The word of a value, out of the words of a choice.
pub(crate) fn word_of<T: PartialEq>(value: T, choices: &[(&'static str, T)]) -> &'static str {
    let named = choices.iter().find(|(_, other)| *other == value);
    named.map_or("", |(name, _)| name)
}

/// "AA:BB:…" of 32 bytes.
fn fingerprint(text: &str) -> PyResult<[u8; 32]> {
    let bytes: Option<Vec<u8>> = text
        .split(':')
        .map(|pair| {
            if pair.len() == 2 {
                u8::from_str_radix(pair, 16).ok()
            } else {
                None
            }
        })
        .collect();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| bad("fingerprint must be 32 bytes as AA:BB:…"))
}

fn candidate(dict: &Bound<'_, PyDict>) -> PyResult<(Proto, SocketAddr)> {
    let protocol: String = need(dict, "protocol")?;
    // The number of the connection is net's to fill in.
    let proto = choose(
        "protocol",
        &protocol,
        &[("udp", Proto::Udp), ("tcp", Proto::Tcp(0))],
    )?;
    let address: String = need(dict, "address")?;
    let ip: IpAddr = address.parse().map_err(|_| {
        bad(format!(
            "candidate address {address:?} is not an IP address"
        ))
    })?;
    Ok((proto, SocketAddr::new(ip, need(dict, "port")?)))
}

/// `TransportParams`.
pub(crate) fn transport(dict: &Bound<'_, PyDict>) -> PyResult<OpenTransport> {
    let role = match get::<String>(dict, "role")? {
        Some(word) => choose(
            "role",
            &word,
            &[("server", Role::Server), ("client", Role::Client)],
        )?,
        None => Role::Server,
    };
    let dtls: String = need(dict, "dtls")?;
    let dtls = choose(
        "dtls",
        &dtls,
        &[("active", DtlsRole::Active), ("passive", DtlsRole::Passive)],
    )?;
    let words = get::<Vec<String>>(dict, "profiles")?.unwrap_or_else(|| {
        PROFILES
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect()
    });
    let profiles = words
        .iter()
        .map(|word| choose("profiles", word, PROFILES))
        .collect::<PyResult<Vec<_>>>()?;
    if profiles.is_empty() {
        return Err(bad("profiles is empty"));
    }
    let candidates = get::<Vec<Bound<'_, PyDict>>>(dict, "candidates")?
        .unwrap_or_default()
        .iter()
        .map(candidate)
        .collect::<PyResult<Vec<_>>>()?;
    let local = match (get(dict, "local_ufrag")?, get(dict, "local_pwd")?) {
        (Some(ufrag), Some(pwd)) => Some(IceCredentials { ufrag, pwd }),
        (None, None) => None,
        _ => return Err(bad("local_ufrag and local_pwd come together")),
    };
    let keep_local_ice = local.is_some();
    let params = TransportParams {
        role,
        local_ice: local.unwrap_or(IceCredentials {
            ufrag: String::new(),
            pwd: String::new(),
        }),
        remote_ice: IceCredentials {
            ufrag: need(dict, "ufrag")?,
            pwd: need(dict, "pwd")?,
        },
        fingerprint: fingerprint(&need::<String>(dict, "fingerprint")?)?,
        dtls,
        profiles,
        candidates,
        stills: stills(dict)?,
    };
    Ok(OpenTransport {
        params,
        keep_local_ice,
    })
}

const STILLS: &[(&str, Stills)] = &[
    ("none", Stills::None),
    ("from_peer", Stills::FromPeer),
    ("to_peer", Stills::ToPeer),
];

fn stills(dict: &Bound<'_, PyDict>) -> PyResult<Stills> {
    let word = get::<String>(dict, "stills")?;
    word.map_or(Ok(Stills::None), |word| choose("stills", &word, STILLS))
}

const PROFILES: &[(&str, SrtpProfile)] = &[
    ("AEAD_AES_128_GCM", SrtpProfile::AeadAes128Gcm),
    ("AES_CM_128_HMAC_SHA1_80", SrtpProfile::AesCm128HmacSha1_80),
];

pub(crate) const KINDS: &[(&str, Kind)] = &[("audio", Kind::Audio), ("video", Kind::Video)];

const CODECS: &[(&str, Codec)] = &[
    ("opus", Codec::Opus),
    ("red", Codec::Red),
    ("VP8", Codec::Vp8),
    ("H264", Codec::H264),
    ("rtx", Codec::Rtx),
];

fn codec(dict: &Bound<'_, PyDict>) -> PyResult<CodecParams> {
    let name: String = need(dict, "codec")?;
    let params = CodecParams {
        pt: need(dict, "pt")?,
        codec: choose("codec", &name, CODECS)?,
        clock_rate: need(dict, "clock_rate")?,
        apt: get(dict, "apt")?,
    };
    if params.pt > 127 || params.apt.is_some_and(|apt| apt > 127) || params.clock_rate == 0 {
        return Err(bad(format!(
            "codec {name}: pt and apt are 0-127, clock_rate above 0"
        )));
    }
    Ok(params)
}

fn extensions(dict: &Bound<'_, PyDict>) -> PyResult<Extensions> {
    let id = |key: &str| match get::<u8>(dict, key)? {
        Some(id @ (1..=14 | 16..=255)) => Ok(Some(id)),
        None => Ok(None),
        Some(id) => Err(bad(format!(
            "extension {key} has id {id}, not allowed by RFC 8285"
        ))),
    };
    Ok(Extensions {
        mid: id("mid")?,
        rid: id("rid")?,
        repaired_rid: id("repaired_rid")?,
        twcc: id("twcc")?,
        abs_send_time: id("abs_send_time")?,
        audio_level: id("audio_level")?,
    })
}

/// `RtpParameters`.
pub(crate) fn rtp(dict: &Bound<'_, PyDict>) -> PyResult<RtpParameters> {
    let kind: String = need(dict, "kind")?;
    let codecs = need::<Vec<Bound<'_, PyDict>>>(dict, "codecs")?;
    let encodings = get::<Vec<Bound<'_, PyDict>>>(dict, "encodings")?.unwrap_or_default();
    if codecs.is_empty() || codecs.len() > 32 || encodings.len() > 8 {
        return Err(bad("1 to 32 codecs and at most 8 encodings"));
    }
    let encoding = |dict: &Bound<'_, PyDict>| -> PyResult<EncodingParams> {
        Ok(EncodingParams {
            rid: get(dict, "rid")?,
            ssrc: get(dict, "ssrc")?,
            rtx_ssrc: get(dict, "rtx_ssrc")?,
            mid: get(dict, "mid")?,
        })
    };
    Ok(RtpParameters {
        mid: need(dict, "mid")?,
        kind: choose("kind", &kind, KINDS)?,
        codecs: codecs.iter().map(codec).collect::<PyResult<_>>()?,
        extensions: match get::<Bound<'_, PyDict>>(dict, "extensions")? {
            Some(dict) => extensions(&dict)?,
            None => Extensions::default(),
        },
        encodings: encodings.iter().map(encoding).collect::<PyResult<_>>()?,
        nack: get(dict, "nack")?.unwrap_or(false),
        twcc: get(dict, "twcc")?.unwrap_or(false),
    })
}
