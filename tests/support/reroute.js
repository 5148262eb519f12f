// Sends this page's media through a relay: each answer's candidates become the one of the relay. `RELAY_PORT` is put in.
(() => {
  const original = RTCPeerConnection.prototype.setRemoteDescription
  RTCPeerConnection.prototype.setRemoteDescription = function (description) {
    let first = true
    const lines = (description?.sdp ?? '').split('\r\n').flatMap((line) => {
      if (!line.startsWith('a=candidate:')) return [line]
      const kept = first ? ['a=candidate:1 1 udp 2130706431 127.0.0.1 RELAY_PORT typ host'] : []
      first = false
      return kept
    })
    return original.call(this, { type: description.type, sdp: lines.join('\r\n') })
  }
})()
