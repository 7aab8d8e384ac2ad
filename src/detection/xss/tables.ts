const listed = (words: string): ReadonlySet<string> => new Set(words.split(" "));

/**
 * Elements that run, load or frame, that change how what follows is read, or that hold drawings and formulas with their own
 * rules; from the HTML Standard, SVG 2, MathML, and what Internet Explorer added. None of them is in a text that people format.
 */
export const ACTIVE_TAGS: ReadonlySet<string> = listed(
  "script style svg math iframe frame frameset object embed applet base meta link xml noscript template textarea title xmp " +
    "noembed noframes plaintext isindex handler listener import vmlframe animate animatetransform animatemotion animatecolor " +
    "set use foreignobject fencedframe portal bgsound layer ilayer comment xss marquee",
);

/** Of those, what a text within such an element ends it with. */
export const ACTIVE_CLOSING_TAGS: ReadonlySet<string> = listed(
  "script style textarea title noscript iframe xmp noembed template",
);

/** Events that an attribute can handle: the HTML Standard, SVG and SMIL, pointer, touch and animation events, Internet Explorer. */
export const EVENTS: ReadonlySet<string> = new Set(
  (
    "abort activate afterprint afterupdate animationcancel animationend animationiteration animationstart " +
    "auxclick beforeactivate beforecopy beforecut beforeeditfocus beforeinput beforematch beforepaste beforeprint " +
    "beforetoggle beforeunload beforeupdate begin blur bounce cancel canplay canplaythrough cellchange change " +
    "click close command contentvisibilityautostatechange contextlost contextmenu contextrestored controlselect " +
    "copy cuechange cut dataavailable datasetchanged datasetcomplete dblclick deactivate drag dragdrop dragend " +
    "dragenter dragexit dragleave dragover dragstart drop durationchange emptied end ended error errorupdate " +
    "filterchange finish focus focusin focusout formdata fullscreenchange gesturechange gestureend gesturestart " +
    "gotpointercapture hashchange help input invalid keydown keypress keyup languagechange layoutcomplete load " +
    "loadeddata loadedmetadata loadstart location losecapture lostpointercapture mediacomplete message " +
    "messageerror mousedown mouseenter mouseleave mousemove mouseout mouseover mouseup mousewheel move moveend " +
    "movestart mozfullscreenchange offline online outofsync pagehide pagereveal pageshow pageswap paste pause " +
    "play playing pointercancel pointerdown pointerenter pointerleave pointermove pointerout pointerover " +
    "pointerrawupdate pointerup popstate progress promptaction promptdismiss propertychange ratechange " +
    "readystatechange rejectionhandled repeat reset resize resizeend resizestart resume reverse rowenter rowexit " +
    "rowsdelete rowsinserted script scroll scrollend scrollsnapchange scrollsnapchanging search " +
    "securitypolicyviolation seek seeked seeking select selectionchange selectstart slotchange stalled start stop " +
    "storage submit suspend syncrestored timeerror timeupdate toggle touchcancel touchend touchmove touchstart " +
    "trackchange transitioncancel transitionend transitionrun transitionstart unhandledrejection unload urlflip " +
    "validationstatuschange volumechange waiting webkitanimationend webkitanimationiteration webkitanimationstart " +
    "webkitfullscreenchange webkitmouseforcechanged webkitmouseforcedown webkitmouseforceup " +
    "webkitmouseforcewillbegin webkitplaybacktargetavailabilitychanged webkitpresentationmodechanged " +
    "webkittransitionend webkitwillrevealbottom wheel"
  ).split(" "),
);

/** Attributes that are active whatever their value is. */
export const ACTIVE_ATTRIBUTES: ReadonlySet<string> = listed(
  "srcdoc formaction datasrc datafld dataformatas seeksegmenttime fscommand xlink:href xml:base xml:events",
);

/** Attributes whose value may have an address behind other words. */
export const LISTING_ATTRIBUTES: ReadonlySet<string> = listed("content values srcset style to from by filter");

/** Schemes of addresses that are programs. */
export const SCRIPT_SCHEMES: ReadonlySet<string> = listed("javascript vbscript livescript mocha view-source");

/** Beginnings of types in `data:` that show a picture or a sound and run nothing. */
export const QUIET_DATA =
  /^(?:image\/(?!svg)|audio\/|video\/|font\/|application\/(?:pdf|octet-stream|font|x-font|json|zip))/;
