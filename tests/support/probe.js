// What a page really shows and plays: pixels of its video elements, samples of its sound. Installed as `window.probe`.
(() => {
  const WIDTH = 320
  const HEIGHT = 180
  const BLOCK = WIDTH / 32

  // A test id, or a selector where one is not enough.
  const select = (id) => document.querySelector(id.includes('[') ? id : `[data-testid="${id}"]`)

  const video = (id) => {
    const element = select(id)
    return element instanceof HTMLVideoElement ? element : (element?.querySelector('video') ?? null)
  }

  const luma = (element) => {
    const canvas = new OffscreenCanvas(WIDTH, HEIGHT)
    const context = canvas.getContext('2d', { willReadFrequently: true })
    context.drawImage(element, 0, 0, WIDTH, HEIGHT)
    const { data } = context.getImageData(0, 0, WIDTH, HEIGHT)
    return (x, y) => 0.299 * data[4 * (y * WIDTH + x)] + 0.587 * data[4 * (y * WIDTH + x) + 1] + 0.114 * data[4 * (y * WIDTH + x) + 2]
  }

  // The sixteen blocks of signaling/ends/counter.py as one number.
  const bits = (grey) => {
    let value = 0
    for (let place = 0; place < 16; place++) {
      let sum = 0
      for (let dx = -2; dx < 2; dx++) for (let dy = -2; dy < 2; dy++) sum += grey(Math.floor((place + 0.5) * BLOCK) + dx, HEIGHT - BLOCK / 2 + dy)
      value = (value << 1) | (sum / 16 > 125 ? 1 : 0)
    }
    return value
  }

  const picture = (id) => {
    const element = video(id)
    if (!element || !element.videoWidth) return null
    const grey = luma(element)
    let mean = 0
    for (let y = 0; y < HEIGHT; y += 4) for (let x = 0; x < WIDTH; x += 4) mean += grey(x, y) / ((WIDTH * HEIGHT) / 16)
    return { width: element.videoWidth, height: element.videoHeight, bits: bits(grey), mean }
  }

  // Longest gap between shown frames and the heights seen, until `stop`.
  const watch = (id) => {
    const element = video(id)
    const seen = { frames: 0, longest_ms: 0, heights: {}, stopped: false }
    let last = performance.now()
    const step = (now) => {
      seen.frames++
      seen.longest_ms = Math.max(seen.longest_ms, now - last)
      last = now
      const height = element.videoHeight
      seen.heights[height] ??= now
      if (!seen.stopped) element.requestVideoFrameCallback(step)
    }
    element.requestVideoFrameCallback((now) => {
      last = now
      element.requestVideoFrameCallback(step)
    })
    window.probe.watched = seen
  }

  // Of a live stream what arrives; of a file what the element plays.
  const sound = async (id = 'audio') => {
    const element = document.querySelector(`[data-testid="${id}"]`)
    const stream = element?.currentSrc ? element.captureStream() : element?.srcObject
    if (!stream || !stream.getAudioTracks().length) return { level: 0, hertz: 0 }
    const context = new AudioContext()
    await context.resume()
    const analyser = context.createAnalyser()
    analyser.fftSize = 4096
    // A source node takes one track of a stream only.
    for (const track of stream.getAudioTracks()) context.createMediaStreamSource(new MediaStream([track])).connect(analyser)
    await new Promise((resolve) => setTimeout(resolve, 400))
    const samples = new Float32Array(analyser.fftSize)
    analyser.getFloatTimeDomainData(samples)
    const spectrum = new Float32Array(analyser.frequencyBinCount)
    analyser.getFloatFrequencyData(spectrum)
    const hertz = (spectrum.indexOf(Math.max(...spectrum)) * context.sampleRate) / analyser.fftSize
    await context.close()
    return { level: Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length), hertz }
  }

  // Which of these tones arrive, in all that the page plays, whatever it turns down itself.
  const tones = async (wanted) => {
    const tracks = [...document.querySelectorAll('audio')].flatMap((element) => element.srcObject?.getAudioTracks() ?? [])
    if (!tracks.length) return []
    const context = new AudioContext()
    await context.resume()
    const analyser = context.createAnalyser()
    analyser.fftSize = 8192
    analyser.smoothingTimeConstant = 0
    for (const track of tracks) context.createMediaStreamSource(new MediaStream([track])).connect(analyser)
    await new Promise((resolve) => setTimeout(resolve, 300))
    const spectrum = new Float32Array(analyser.frequencyBinCount)
    analyser.getFloatFrequencyData(spectrum)
    const bin = context.sampleRate / analyser.fftSize
    await context.close()
    const loud = (hertz) => Math.max(...spectrum.slice(Math.floor(hertz / bin) - 2, Math.ceil(hertz / bin) + 3)) > -50
    return wanted.filter(loud)
  }

  // The mean colour of a picture or a video element, as [red, green, blue].
  const colour = (id) => {
    const found = select(id)
    const element = found instanceof HTMLImageElement ? found : video(id)
    if (!(element?.videoWidth || element?.naturalWidth)) return null
    const canvas = new OffscreenCanvas(16, 16)
    const context = canvas.getContext('2d', { willReadFrequently: true })
    context.drawImage(element, 0, 0, 16, 16)
    const { data } = context.getImageData(0, 0, 16, 12)
    return [0, 1, 2].map((channel) => Math.round([...data].filter((_, at) => at % 4 === channel).reduce((a, b) => a + b) / (16 * 12)))
  }

  window.probe = { picture, watch, sound, tones, colour, watched: null }
})()
