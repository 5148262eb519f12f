// Reads lines of `file<TAB>voice<TAB>words` from standard input and writes each as a WAV file into the folder argv[2].
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ESpeakNg from "espeak-ng";

for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const [file, voice, words] = line.split("\t");
  const espeak = await ESpeakNg({ arguments: ["-w", "out.wav", "-v", voice, "-s", "140", words] });
  writeFileSync(join(process.argv[2], file), espeak.FS.readFile("out.wav"));
}
