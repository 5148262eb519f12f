// Takes away what Chrome 109, the last one for Windows 7, does not have: a page that needs it without a look fails.
;(() => {
  const after109 = {
    Array: ['fromAsync'],
    'Array.prototype': ['toSorted', 'toReversed', 'toSpliced', 'with'],
    Object: ['groupBy'],
    Map: ['groupBy'],
    Promise: ['withResolvers', 'try'],
    'String.prototype': ['isWellFormed', 'toWellFormed'],
    'Set.prototype': ['union', 'intersection', 'difference', 'symmetricDifference', 'isSubsetOf', 'isSupersetOf', 'isDisjointFrom'],
    'ArrayBuffer.prototype': ['resize', 'transfer', 'transferToFixedLength'],
    Uint8Array: ['fromBase64', 'fromHex'],
    'Uint8Array.prototype': ['toBase64', 'toHex', 'setFromBase64', 'setFromHex'],
    URL: ['canParse', 'parse'],
    'URLSearchParams.prototype': ['size'],
    AbortSignal: ['any'],
    'Document.prototype': ['startViewTransition', 'caretPositionFromPoint'],
    'HTMLElement.prototype': ['showPopover', 'hidePopover', 'togglePopover', 'popover'],
    'Element.prototype': ['setHTMLUnsafe', 'getHTML', 'moveBefore'],
    'HTMLDialogElement.prototype': ['requestClose', 'closedBy'],
    'RTCRtpReceiver.prototype': ['jitterBufferTarget'],
    'Headers.prototype': ['getSetCookie'],
    globalThis: ['Iterator', 'CloseWatcher', 'documentPictureInPicture', 'RTCRtpScriptTransform', 'PressureObserver'],
  }
  for (const [where, names] of Object.entries(after109)) {
    const owner = where === 'globalThis' ? globalThis : where.split('.').reduce((at, name) => at?.[name], globalThis)
    if (owner) for (const name of names) delete owner[name]
  }
})()
