// Package lint is a strict client of a live HLS ladder: it does what a rules.Checker asks for, over HTTP.
//
// Watch follows every rendition of a ladder at the live edge. A Sampler looks at one rendition at a time, now and then.
// Local makes either of them speak to a handler of the same process.
package lint
