/** What a classroom reads while it speaks; loaded when it is called. */

import { catalogue } from '../shared/text'

export const onstage = catalogue(
  {
    speak: '请发言',
    heard: '老师和各教室正在听你们说话',
    mutedHere: '本教室麦克风已关闭，别人听不到',
    mute: '关麦克风',
    unmute: '开麦克风',
    own: '本教室',
    ownStills: '网络慢，只发照片',
    ownNothing: '没有画面',
    ask: '向老师提问',
    askText: '写下问题，老师会在课上或课后回答。',
    send: '发给老师',
    microphone_absent: '没有找到麦克风，老师听不到你们。插上麦克风会自动接入。',
    microphone_unplugged: '麦克风断开了，老师听不到你们。重新插上会自动接入。',
    microphone_denied: '浏览器没有得到麦克风许可，老师听不到你们。点地址栏左边的锁形图标，允许麦克风。',
    microphone_busy: '麦克风被别的程序占用，老师听不到你们。请关掉那个程序。',
    camera_absent: '没有找到摄像头，只有声音。插上摄像头会自动接入。',
    camera_unplugged: '摄像头断开了，只有声音。重新插上会自动接入。',
    camera_denied: '浏览器没有得到摄像头许可，只有声音。点地址栏左边的锁形图标，允许摄像头。',
    camera_busy: '摄像头被别的程序占用，只有声音。请关掉那个程序。',
    insecure: '这个地址不安全，浏览器不给用麦克风。请管理员安装证书，再用 https 地址打开。',
  },
  {
    speak: 'Please speak',
    heard: 'The teacher and all classrooms are listening',
    mutedHere: 'Your microphone is off; nobody hears you',
    mute: 'Microphone off',
    unmute: 'Microphone on',
    own: 'Your classroom',
    ownStills: 'slow network, stills only',
    ownNothing: 'no picture',
    ask: 'Ask the teacher',
    askText: 'Write your question; the teacher answers in the lesson or after it.',
    send: 'Send to the teacher',
    microphone_absent: 'No microphone was found, so the teacher cannot hear you. Plug one in and it is used by itself.',
    microphone_unplugged: 'The microphone was unplugged, so the teacher cannot hear you. Plug it in and it is used by itself.',
    microphone_denied: 'The browser has no permission for the microphone, so the teacher cannot hear you. Allow it with the lock beside the address.',
    microphone_busy: 'Another program uses the microphone, so the teacher cannot hear you. Close that program.',
    camera_absent: 'No camera was found: sound only. Plug one in and it is used by itself.',
    camera_unplugged: 'The camera was unplugged: sound only. Plug it in and it is used by itself.',
    camera_denied: 'The browser has no permission for the camera: sound only. Allow it with the lock beside the address.',
    camera_busy: 'Another program uses the camera: sound only. Close that program.',
    insecure: 'This address is not secure, so the browser gives no microphone. Ask the administrator to install the certificate, then open the https address.',
  },
)

export type OnStageWord = keyof (typeof onstage)['zh']
