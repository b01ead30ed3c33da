// Package frames reads the synthetic camera's test card and beep out of recorded renditions, and proves from them that
// every picture came once, in order, at the time it was taken, and with its sound.
package frames
