/** A picture that vanished by itself stays a moment: after a break it is usually back at once. */

import { onScopeDispose, ref, watch, type Ref } from 'vue'
import type { Source, Sources } from '../../shared/protocol'

export const LINGER_MS = 5000

/** Whether the teacher took this source away on purpose: others of hers still flow. */
export function isDeliberate(sources: Sources | null, source: Source): boolean {
  return sources !== null && !sources[source] && Object.values(sources).some(Boolean)
}

/** True while the track is there and for a while after it was lost, but not after it was put away. */
export function useLinger(track: Readonly<Ref<MediaStreamTrack | null>>, deliberate: () => boolean): Ref<boolean> {
  const shown = ref(track.value !== null)
  let timer: ReturnType<typeof setTimeout> | undefined
  watch([track, deliberate], ([now]) => {
    clearTimeout(timer)
    if (now) shown.value = true
    else if (deliberate()) shown.value = false
    else timer = setTimeout(() => (shown.value = false), LINGER_MS)
  })
  onScopeDispose(() => clearTimeout(timer))
  return shown
}
