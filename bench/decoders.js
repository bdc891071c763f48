// Reads the output of DecodedFrames, decodes the same frames with ioBroker.ecoflow-mqtt, and prints the fields that
// differ. Names are compared without case and underscores, and list items without their index.
"use strict";
const path = require("path");
const readline = require("readline");

const adapter = path.resolve(process.argv[2]);
const { pstreamDecode } = require(path.join(adapter, "lib/ecoflow_utils.js"));

// The adapter's name of the model, by the start of the serial number.
const MODELS = {
  AC71: "wave3",
  BK0: "stream_inverter",
  ES2: "stream_ac",
  F371: "alternator",
  HD31: "panel2",
  HJ3: "powerocean",
  HW51: "pstream",
  P231: "delta3",
  P351: "delta3plus",
  R37: "poweroceanplus",
  Y711: "deltaproultra",
};

const log = new Proxy({}, { get: () => () => {} });

function decodeThere(frame, serial) {
  const model = Object.entries(MODELS).find(([prefix]) => serial.startsWith(prefix));
  if (!model) return "the adapter does not know the model";
  const { protoSource, protoMsg } = require(path.join(adapter, `lib/dict_data/ef_${model[1]}_data.js`));
  const adapterState = { log, quotas: {}, unknownPBmsg: {} };
  const decoded = pstreamDecode(adapterState, frame, "", serial, "update", protoSource, protoMsg, false);
  const isKnown = Object.keys(adapterState.unknownPBmsg).length === 0;
  return isKnown ? decoded : "the adapter does not know the message";
}

const normalised = name => name.replace(/\[[^\]]*\]/g, "").replace(/_/g, "").toLowerCase();

// The numbers of an object, as a map of names to sorted values.
function leaves(object) {
  const found = new Map();
  const add = (name, value) => {
    if (value && typeof value === "object" && typeof value.toNumber === "function") value = value.toNumber();
    if (typeof value === "boolean") value = Number(value);
    if (typeof value === "number") {
      if (!found.has(name)) found.set(name, []);
      found.get(name).push(value);
    } else if (Array.isArray(value)) {
      value.forEach(item => add(name, item));
    } else if (value && typeof value === "object" && !Buffer.isBuffer(value)) {
      Object.entries(value).forEach(([key, item]) => add(name ? `${name}.${normalised(key)}` : normalised(key), item));
    }
  };
  add("", object);
  for (const values of found.values()) values.sort((one, other) => one - other);
  return found;
}

const isEqual = (one, other) => Math.abs(one - other) <= 1e-5 * Math.max(Math.abs(one), Math.abs(other));
const areEqual = (some, others) => some.length === others.length && some.every((value, i) => isEqual(value, others[i]));
const endsWith = (name, end) => name === end || name.endsWith("." + end);

function compare(file, ours, theirs) {
  let equal = 0;
  for (const [name, values] of [...theirs]) {
    // The prefix of a message here is not part of the message.
    const found = [...ours.keys()].filter(other => endsWith(other, name) || endsWith(name, other))
      .sort((one, other) => Math.abs(one.length - name.length) - Math.abs(other.length - name.length))[0];
    if (!found) continue;
    const own = ours.get(found);
    if (areEqual(own, values)) {
      equal++;
    } else {
      console.log(`${file}: different: ${found}: here ${own.join(" ")}, there ${values.join(" ")}`);
    }
    ours.delete(found);
    theirs.delete(name);
  }
  for (const [name, values] of ours) {
    const same = [...theirs.keys()].filter(other => areEqual(theirs.get(other), values));
    const note = same.length === 1 ? `, there perhaps ${same[0]}` : "";
    console.log(`${file}: only here: ${name}: ${values.join(" ")}${note}`);
  }
  for (const [name, values] of theirs) {
    console.log(`${file}: only there: ${name}: ${values.join(" ")}`);
  }
  return equal;
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { name, serial, frame, values } = JSON.parse(line);
    let there;
    try {
      there = decodeThere(Buffer.from(frame, "base64"), serial);
    } catch (error) {
      there = `the adapter fails: ${String(error.message).split("\n")[0]}`;
    }
    if (typeof there === "string") {
      console.log(`${name}: ${there}`);
    } else {
      const theirs = leaves(there.flatMap(message => Object.values(message)));
      console.log(`${name}: ${compare(name, leaves(values), theirs)} names equal`);
    }
  }
})();
