// A microphone that hums and a camera of one colour, in place of the browser's own devices: HERTZ and 'COLOUR' are written in.
(() => {
  const [hertz, colour] = [HERTZ, 'COLOUR']
  const voice = () => {
    const context = new AudioContext()
    const tone = new OscillatorNode(context, { frequency: hertz })
    const quiet = new GainNode(context, { gain: 0.3 })
    const out = context.createMediaStreamDestination()
    tone.connect(quiet).connect(out)
    tone.start()
    return out.stream.getAudioTracks()[0]
  }
  const picture = () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 })
    const paper = canvas.getContext('2d')
    const draw = () => {
      paper.fillStyle = colour
      paper.fillRect(0, 0, 640, 360)
      paper.fillStyle = '#808080'
      paper.fillRect((performance.now() / 20) % 620, 340, 20, 20)
    }
    draw()
    setInterval(draw, 200)
    return canvas.captureStream(5).getVideoTracks()[0]
  }
  navigator.mediaDevices.getUserMedia = async ({ audio, video }) =>
    new MediaStream([...(audio ? [voice()] : []), ...(video ? [picture()] : [])])
})()
