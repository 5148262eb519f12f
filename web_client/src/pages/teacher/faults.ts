/** Which faults are said, so that one cause is one sentence. */

import type { Source } from '../../shared/protocol'

/** The codes to say: camera and microphone that fail alike are said together. */
export function told(faults: Partial<Record<Source, string>>): string[] {
  const { camera, microphone, screen } = faults
  const rest = screen ? [screen] : []
  if (camera === 'camera_denied' && microphone === 'microphone_denied') return ['both_denied', ...rest]
  if (camera === 'camera_absent' && microphone === 'microphone_absent') return ['both_absent', ...rest]
  const codes = [camera, microphone, screen].filter((code): code is string => code !== undefined)
  return [...new Set(codes)]
}
