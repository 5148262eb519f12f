// When a classroom page passes the stations on its way to the first picture, in ms since its link was opened.
(() => {
  const passed = (window.milestones = {})
  const note = (name) => (passed[name] ??= performance.now())

  const Socket = window.WebSocket
  window.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given)
      note('page')
      this.addEventListener('message', ({ data }) => JSON.parse(data).type === 'answer' && note('answer'))
    }

    send(text) {
      if (JSON.parse(text).type === 'offer') note('offer')
      super.send(text)
    }
  }

  const Peer = window.RTCPeerConnection
  window.RTCPeerConnection = class extends Peer {
    constructor(...given) {
      super(...given)
      this.addEventListener('connectionstatechange', () => this.connectionState === 'connected' && note('connected'))
    }
  }

  const seen = new WeakSet()
  const look = () => {
    for (const video of document.querySelectorAll('video')) {
      if (!seen.has(video)) video.requestVideoFrameCallback(() => note('picture'))
      seen.add(video)
    }
  }
  new MutationObserver(look).observe(document, { childList: true, subtree: true })
})()
