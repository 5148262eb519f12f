// Four times a second: what this classroom's page hears and sees, into `window.watched`.
(() => {
  const rows = (window.watched = [])
  // Of the frames shown: how many, the sum of display less capture time, and the least of receipt less capture. Statistics
  // know only how long frames waited since their first packet came, which a repaired one does late. Capture times are
  // those of RTP, from the first frame's on.
  const shown = { frames: 0, sum_ms: 0, least_ms: null }
  let first = null
  let followed = null
  const follow = (video) => {
    followed = video
    video.requestVideoFrameCallback((_, { rtpTimestamp, receiveTime, expectedDisplayTime }) => {
      if (followed !== video) return
      first ??= rtpTimestamp
      const captured_ms = ((rtpTimestamp - first) | 0) / 90
      shown.frames += 1
      shown.sum_ms += expectedDisplayTime - captured_ms
      shown.least_ms = Math.min(shown.least_ms ?? Infinity, receiveTime - captured_ms)
      follow(video)
    })
  }
  const take = async () => {
    const { pc, state } = window.zhuandi ?? {}
    if (!pc) return
    const video = document.querySelector('[data-testid=video-camera]')
    if (video && video !== followed) follow(video)
    const all = [...(await pc.getStats()).values()].filter((one) => one.type === 'inbound-rtp')
    const sound = all.find((one) => one.kind === 'audio' && one.totalSamplesReceived > 0)
    const picture = all.find((one) => one.kind === 'video' && one.packetsReceived > 0)
    rows.push({
      at_ms: performance.timeOrigin + performance.now(),
      connected: pc.connectionState === 'connected',
      samples: sound?.totalSamplesReceived ?? 0,
      concealed: sound?.concealedSamples ?? 0,
      sound_packets: (sound?.packetsReceived ?? 0) + (sound?.packetsLost ?? 0),
      sound_waited_s: sound?.jitterBufferDelay ?? 0,
      sound_emitted: sound?.jitterBufferEmittedCount ?? 0,
      frames: picture?.framesDecoded ?? 0,
      frozen_s: picture?.totalFreezesDuration ?? 0,
      height: picture?.frameHeight ?? 0,
      shown: { ...shown },
      // What the server says that it sends, in lines; 0: paused.
      camera: state?.rung?.camera ?? null,
    })
  }
  setInterval(take, 250)
})()
