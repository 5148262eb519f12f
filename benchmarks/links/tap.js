// Writes down every frame that this page's encoders give out, and keeps all layers on at their size, however busy the
// machine is. `window.tap` is what it adds.
(() => {
  const CODE = `
    let rows = []
    // Of a RED packet (RFC 2198 3) only the newest block is what the encoder made.
    const newest = (data) => {
      const bytes = new DataView(data)
      let at = 0, older = 0
      for (; bytes.getUint8(at) & 0x80; at += 4) older += bytes.getUint16(at + 2) & 0x3ff
      return data.byteLength - at - 1 - older
    }
    onrtctransform = ({ transformer }) => {
      const note = new TransformStream({
        transform(frame, controller) {
          const seen = frame.getMetadata()
          rows.push({
            line: transformer.options.line,
            ssrc: seen.synchronizationSource,
            ticks: seen.rtpTimestamp,
            key: frame.type === 'key',
            bytes: seen.mimeType?.toLowerCase() === 'audio/red' ? newest(frame.data) : frame.data.byteLength,
            temporal: seen.temporalIndex ?? 0,
            number: seen.frameId ?? -1,
            needs: seen.dependencies ?? [],
            height: seen.height ?? 0,
            width: seen.width ?? 0,
          })
          controller.enqueue(frame)
        },
      })
      transformer.readable.pipeThrough(note).pipeTo(transformer.writable)
    }
    onmessage = () => postMessage(rows.splice(0))`
  const worker = new Worker(URL.createObjectURL(new Blob([CODE], { type: 'text/javascript' })))
  const add = RTCPeerConnection.prototype.addTransceiver
  const senders = []
  RTCPeerConnection.prototype.addTransceiver = function (...args) {
    const made = add.apply(this, args)
    if (args[1]?.direction === 'sendonly') {
      made.sender.transform = new RTCRtpScriptTransform(worker, { line: senders.length })
      senders.push(made.sender)
    }
    return made
  }
  const set = RTCRtpSender.prototype.setParameters
  RTCRtpSender.prototype.setParameters = function (parameters, ...rest) {
    for (const encoding of parameters.encodings) encoding.active = true
    if (parameters.encodings.length > 1) parameters.degradationPreference = 'maintain-framerate-and-resolution'
    return set.call(this, parameters, ...rest)
  }
  window.tap = {
    take: () =>
      new Promise((done) => {
        worker.onmessage = ({ data }) => done(data)
        worker.postMessage(null)
      }),
    key: (line) => {
      const parameters = senders[line].getParameters()
      return senders[line].setParameters(parameters, { encodingOptions: parameters.encodings.map(() => ({ keyFrame: true })) })
    },
  }
})()
