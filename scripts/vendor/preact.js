// What the pages take of Preact, in one file.
export { h, render, Fragment } from "preact";
export { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import htm from "htm";
import { h } from "preact";
export const html = htm.bind(h);
export { signal, computed, effect, batch } from "@preact/signals";
