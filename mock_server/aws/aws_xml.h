/* Elements of the XML that AWS's services answer with, appended to a buffer whose ceiling latches.
 */
#ifndef PINPIPE_AWS_XML_H
#define PINPIPE_AWS_XML_H

#include "buf.h"

#define AWS_XML_DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

void aws_xml_open(struct buf *out, const char *name);
void aws_xml_close(struct buf *out, const char *name);
/* <name>text</name>, escaped. */
void aws_xml_text(struct buf *out, const char *name, struct span text);
/* The text of an element. Text that is not UTF-8 has a '?' for each byte above ASCII. */
void aws_xml_escape(struct buf *out, struct span text);

#endif
