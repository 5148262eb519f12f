// Four times a second: what this classroom's page hears and sees, into `window.watched`.
(() => {
  const rows = (window.watched = [])
  const take = async () => {
    const { pc, state } = window.zhuandi ?? {}
    if (!pc) return
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
      picture_waited_s: picture?.jitterBufferDelay ?? 0,
      picture_emitted: picture?.jitterBufferEmittedCount ?? 0,
      // What the server says that it sends, in lines; 0: paused.
      camera: state?.rung?.camera ?? null,
    })
  }
  setInterval(take, 250)
})()
